# Runs the tests of one program, which is in another process. Descriptors: 0 the job, 1 the report, 3 requests to the
# program, 4 its replies. Nothing of the program is executed here: its replies are data.
import builtins
import io
import os

REQUESTS, REPLIES = 3, 4


class Wrong(Exception):
    """A result that `expect` did not expect."""


class ProgramError(Exception):
    """An exception of a class that the program defined."""


class Discard(io.TextIOBase):
    """Standard output of the tests, which nothing reads."""

    def write(self, text):
        return len(text)


def write_all(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


class Report:
    """The reports to the parent, in lines that begin with the nonce of the job."""

    def __init__(self, nonce):
        self.nonce = nonce
        self.descriptor = os.dup(1)

    def write(self, message):
        write_all(self.descriptor, b"%s %s" % (self.nonce.encode("ascii"), to_line(message)))

    def end(self, outcome):
        """Reports the outcome and ends this process at once, so that no test can catch it."""
        self.write(outcome)
        os._exit(0)


class Program:
    """The connection to the process of the program."""

    def __init__(self, report):
        self.report = report
        self.replies = os.fdopen(REPLIES, "rb")
        self.remotes = {}

    def request(self, message):
        """The reply to a request. Raises the built-in class of the exception that the program raised."""
        try:
            write_all(REQUESTS, to_line(message))
        except BrokenPipeError:
            self.report.end("ended")
        line = self.replies.readline()
        if not line.endswith(b"\n"):
            self.report.end("ended")
        return from_line(line)

    def value(self, reply):
        if "error" in reply:
            raise self.exception(reply)
        return unpack(reply["value"], self.resolve)

    def exception(self, reply):
        kind = getattr(builtins, str(reply["built_in"]), None)
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            kind = ProgramError
        try:
            error = kind(reply["message"])
        except TypeError:
            # Some built-in classes take other arguments.
            error = ProgramError(reply["message"])
        error.name_in_program = str(reply["error"])
        return error

    def perform(self, operation, *values):
        return self.value(self.request({"do": operation, "with": [pack(value, refer) for value in values]}))

    def call(self, function, arguments, named):
        message = {"do": "call", "with": [pack(value, refer) for value in (function, arguments, named)]}
        reply = self.request(message)
        for own, after in zip(arguments, reply.get("arguments", ())):
            change(own, unpack(after, self.resolve))
        return self.value(reply)

    def start(self):
        """Waits until the program's process has started, before it loads the program."""
        self.value(self.request({"do": "start"}))
        self.report.write("started")

    def load(self, source):
        self.value(self.request({"do": "load", "source": source}))

    def define(self, scope, name):
        """Puts what the program calls `name` into `scope`, or removes it if the program has no such name."""
        reply = self.request({"do": "name", "name": name})
        if "absent" in reply:
            scope.pop(name, None)
        else:
            scope[name] = self.value(reply)

    def resolve(self, data):
        number = int(data[1])
        if number not in self.remotes:
            self.remotes[number] = Remote(self, number)
        return self.remotes[number]


def change(own, after):
    """Gives a mutable argument of a call the value that it has in the program."""
    if own == after or type(own) is not type(after):
        return
    if type(own) is list or type(own) is bytearray:
        own[:] = after
    elif type(own) is dict or type(own) is set:
        own.clear()
        own.update(after)


class Remote:
    """An object of the program. What it contains and returns is asked of the program; what it equals is not: two references
    are equal if they are to one object, and a reference equals nothing else. It has no arithmetic and no order."""

    __slots__ = ("__program", "__number")

    def __init__(self, program, number):
        object.__setattr__(self, "_Remote__program", program)
        object.__setattr__(self, "_Remote__number", number)

    def __getattr__(self, name):
        return self.__program.perform("get", self, name)

    def __setattr__(self, name, value):
        self.__program.perform("set", self, name, value)

    def __delattr__(self, name):
        self.__program.perform("delete", self, name)

    def __call__(self, *arguments, **named):
        return self.__program.call(self, arguments, named)

    def __iter__(self):
        return self.__program.perform("iterate", self)

    def __next__(self):
        return self.__program.perform("next", self)

    def __len__(self):
        return self.__program.perform("length", self)

    def __getitem__(self, key):
        return self.__program.perform("get_item", self, key)

    def __setitem__(self, key, value):
        self.__program.perform("set_item", self, key, value)

    def __delitem__(self, key):
        self.__program.perform("delete_item", self, key)

    def __contains__(self, value):
        return any(value is part or value == part for part in self)

    def __bool__(self):
        return self.__program.perform("truth", self)

    def __str__(self):
        return self.__program.perform("text", self)

    def __repr__(self):
        return self.__program.perform("represent", self)

    def reference(self):
        return ["o", self.__number]


def refer(value):
    """The reference to an object of the program."""
    if type(value) is Remote:
        return Remote.reference(value)
    raise TypeError("a %s of the tests cannot be given to the program" % type(value).__name__)


def expect(call, given, expected):
    """Fails unless a result has exactly the type and value that were expected, also within a list."""
    # Compared as text: `True == 1`, and the text of a reference is its number alone.
    if to_line(pack(given, refer)) != to_line(pack(expected, refer)):
        raise Wrong(call, repr(given)[:500])


def names_of(code):
    """The names that code reads, with those of its functions."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            names |= names_of(constant)
    return names


def import_modules(scope, code):
    """Imports the modules of the standard library that the tests name without importing them."""
    library = getattr(sys, "stdlib_module_names", ())
    for name in names_of(code):
        if name in library and name not in scope and not hasattr(builtins, name):
            scope[name] = __import__(name)


def line_of(error, file):
    """The last line of `file` that the exception passed."""
    line, frame = None, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == file:
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


def outcome(job, program):
    """The outcome of the tests."""
    scope = {"__name__": "tests", "expect": expect}
    part = "program"
    try:
        program.start()
        program.load(job["source"])
        part = "tests"
        exec(compile(job["prelude"], "prelude", "exec"), scope)
        for name in job["names"]:
            program.define(scope, name)
        code = compile(job["tests"], "tests", "exec")
        import_modules(scope, code)
        exec(code, scope)
    except Wrong as wrong:
        call, given = wrong.args
        given = given.encode("ascii", "backslashreplace").decode()[:500]
        return {"wrong": {"call": call, "given": given}}
    except BaseException as error:
        # The program chose it.
        name = ascii(getattr(error, "name_in_program", type(error).__name__))[1:-1][:100]
        return {"raised": {"name": name, "line": line_of(error, "tests")}}
    return "passed"


def main():
    with os.fdopen(0, "rb", closefd=False) as stream:
        job = from_line(stream.read())
    report = Report(job["nonce"])
    sys.stdout = sys.stderr = Discard()
    report.end(outcome(job, Program(report)))


main()
