# Values between the two processes, as JSON: None, booleans, short integers and strings as themselves, all else as a list
# that begins with a tag. Only data of exactly these types crosses: a class of the program never does.
import sys

try:
    sys.set_int_max_str_digits(0)
except AttributeError:
    pass

EXACT = 1 << 53
# Classes of the standard library that tests compare with; loaded only if a program has loaded them.
DECIMAL, FRACTION, COLLECTIONS = "decimal", "fractions", "collections"


def library(module, name):
    """A class of a module that this process has loaded, else None."""
    return getattr(sys.modules.get(module), name, None)


def pack_items(values, refer):
    return [pack(value, refer) for value in values]


def pack_pairs(pairs, refer):
    return [[pack(key, refer), pack(value, refer)] for key, value in pairs]


def pack(value, refer):
    """The value as JSON; `refer` gives the JSON of an object that is no data."""
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return value if -EXACT < value < EXACT else ["i", "%x" % value]
    if kind is float:
        return ["f", value.hex()]
    if kind is complex:
        return ["c", value.real.hex(), value.imag.hex()]
    if kind is list:
        return ["l", pack_items(value, refer)]
    if kind is tuple:
        return ["t", pack_items(value, refer)]
    if kind is dict:
        return ["d", pack_pairs(value.items(), refer)]
    if kind is set:
        return ["s", pack_items(value, refer)]
    if kind is frozenset:
        return ["z", pack_items(value, refer)]
    if kind is bytes:
        return ["b", value.hex()]
    if kind is bytearray:
        return ["a", value.hex()]
    if kind is range:
        return ["r", pack_items((value.start, value.stop, value.step), refer)]
    if value is Ellipsis:
        return ["e"]
    if kind is type(dict().keys()):
        return ["k", pack_items(value, refer)]
    if kind is type(dict().items()):
        return ["p", pack_pairs(value, refer)]
    if kind is type and BUILT_IN_TYPES.get(value.__name__) is value:
        return ["T", value.__name__]
    if kind is library(COLLECTIONS, "Counter"):
        return ["C", pack_pairs(dict.items(value), refer)]
    if kind is library(COLLECTIONS, "OrderedDict"):
        return ["O", pack_pairs(list(value.items()), refer)]
    if kind is library(COLLECTIONS, "deque"):
        return ["q", pack_items(value, refer), value.maxlen]
    if kind is library(COLLECTIONS, "defaultdict"):
        return ["d", pack_pairs(dict.items(value), refer)]
    if kind is library(DECIMAL, "Decimal"):
        return ["D", str(value)]
    if kind is library(FRACTION, "Fraction"):
        return ["F", pack(value.numerator, refer), pack(value.denominator, refer)]
    for base in (int, float, str, list, tuple, dict, set, frozenset, bytes):
        # The data of a subclass without its methods: a named tuple is a tuple, a number with its own `==` a number.
        if issubclass(kind, base):
            return pack(as_base(base, value), refer)
    return refer(value)


def as_base(base, value):
    """The data of an instance of a subclass, read by the methods of the built-in class."""
    if base is int:
        return int.__add__(value, 0)
    if base is float:
        return float.__add__(value, 0.0)
    if base is str:
        return str.__str__(value) if type(value) is str else str.__getitem__(value, slice(None))
    if base is bytes:
        return bytes.__getitem__(value, slice(None))
    if base is dict:
        return dict(dict.items(value))
    return base(base.__iter__(value))


BUILT_IN_TYPES = {
    kind.__name__: kind
    for kind in (int, float, complex, bool, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, type(None), object)
}


SEQUENCES, MAPPINGS = set("ltszrkq"), set("dpCO")


def unpack(data, resolve):
    """The value of JSON; `resolve` gives the object of a reference."""
    if type(data) is not list:
        return data
    tag = data[0]
    if tag == "i":
        return int(data[1], 16)
    if tag == "f":
        return float.fromhex(data[1])
    if tag == "c":
        return complex(float.fromhex(data[1]), float.fromhex(data[2]))
    if tag == "b":
        return bytes.fromhex(data[1])
    if tag == "a":
        return bytearray.fromhex(data[1])
    if tag == "e":
        return Ellipsis
    if tag == "T":
        return BUILT_IN_TYPES[data[1]]
    if tag == "D":
        import decimal

        return decimal.Decimal(data[1])
    if tag == "F":
        import fractions

        return fractions.Fraction(unpack(data[1], resolve), unpack(data[2], resolve))
    if tag in SEQUENCES:
        parts = [unpack(part, resolve) for part in data[1]]
        if tag == "l":
            return parts
        if tag == "t":
            return tuple(parts)
        if tag == "s":
            return set(parts)
        if tag == "z":
            return frozenset(parts)
        if tag == "r":
            return range(*parts)
        if tag == "k":
            return dict.fromkeys(parts).keys()
        import collections

        return collections.deque(parts, data[2])
    if tag in MAPPINGS:
        pairs = [(unpack(key, resolve), unpack(value, resolve)) for key, value in data[1]]
        if tag == "d":
            return dict(pairs)
        if tag == "p":
            return dict(pairs).items()
        import collections

        if tag == "O":
            return collections.OrderedDict(pairs)
        counter = collections.Counter()
        counter.update(dict(pairs))
        return counter
    return resolve(data)


class Scanning:
    """What the scanner of `json` reads of its decoder."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float


def refuse(value):
    raise TypeError("not data")


def codec():
    """Functions from values to JSON and back: those of `json`, without its import, which takes longer than most programs."""
    try:
        import _json

        text = _json.encode_basestring_ascii
        encoder = _json.make_encoder(None, refuse, text, None, ":", ",", False, False, True)
        scan = _json.make_scanner(Scanning)
        if "".join(encoder(["a", {"b": None}], 0)) == '["a",{"b":null}]' and scan('["a"]', 0) == (["a"], 5):
            return lambda value: "".join(encoder(value, 0)), lambda line: scan(line, 0)[0]
    except (ImportError, AttributeError, TypeError):
        pass
    import json

    return json.dumps, json.loads


ENCODE, DECODE = codec()


def to_line(message):
    return (ENCODE(message) + "\n").encode("ascii")


def from_line(line):
    try:
        return DECODE(line.decode("utf-8"))
    except StopIteration:
        # The scanner says so of what is no JSON; here it would end a loop.
        raise ValueError("not JSON") from None
