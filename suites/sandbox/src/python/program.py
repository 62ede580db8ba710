# Runs one program and performs the requests of the tests on its objects. Descriptors: 0 requests, 1 replies, 2 output.
import builtins
import os


class Objects:
    """Objects of the program to which the tests hold references, by number."""

    def __init__(self):
        self.objects = []
        self.numbers = {}

    def refer(self, value):
        number = self.numbers.setdefault(id(value), len(self.objects))
        if number == len(self.objects):
            self.objects.append(value)
        return ["o", number]

    def resolve(self, data):
        return self.objects[data[1]]


def call(function, arguments, named):
    return function(*arguments, **named)


OPERATIONS = {
    "call": call,
    "get": getattr,
    "set": setattr,
    "delete": delattr,
    "iterate": iter,
    "next": next,
    "length": len,
    "get_item": lambda value, key: value[key],
    "set_item": lambda value, key, item: value.__setitem__(key, item),
    "delete_item": lambda value, key: value.__delitem__(key),
    "text": str,
    "represent": repr,
    "truth": bool,
}
MUTABLE = (list, dict, set, bytearray)


def failure(error):
    """The name of the exception's class, and of its nearest built-in class."""
    built_in = next(kind for kind in type(error).__mro__ if getattr(builtins, kind.__name__, None) is kind)
    try:
        message = str(error)
    except BaseException:
        message = ""
    return {"error": type(error).__name__, "built_in": built_in.__name__, "message": message[:1000]}


def perform(request, module, objects):
    """The reply to one request."""
    operation = request["do"]
    if operation == "start":
        return {"value": None}
    if operation == "load":
        exec(compile(request["source"], "answer", "exec"), module.__dict__)
        return {"value": None}
    if operation == "name":
        name = request["name"]
        return {"value": pack(module.__dict__[name], objects.refer)} if name in module.__dict__ else {"absent": True}
    packed = request["with"]
    values = [unpack(part, objects.resolve) for part in packed]
    try:
        reply = {"value": pack(OPERATIONS[operation](*values), objects.refer)}
    except BaseException as error:
        reply = failure(error)
    if operation == "call":
        # What a call changed in its arguments, the tests see too.
        pairs = zip(values[1], packed[1][1])
        after = [pack(value, objects.refer) if type(value) in MUTABLE else before for value, before in pairs]
        if after != packed[1][1]:
            reply["arguments"] = after
    return reply


def write_all(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


def main():
    requests, replies = os.fdopen(os.dup(0), "rb"), os.dup(1)
    # Standard input is at its end; standard output is counted with the errors.
    read_end, write_end = os.pipe()
    os.dup2(read_end, 0)
    os.dup2(2, 1)
    os.close(read_end)
    os.close(write_end)
    # A module of its own, because the standard library looks modules of classes up by name.
    module = sys.modules["answer"] = type(sys)("answer")
    objects = Objects()
    for line in requests:
        try:
            reply = to_line(perform(from_line(line), module, objects))
        except BaseException as error:
            reply = to_line(failure(error))
        write_all(replies, reply)


main()
