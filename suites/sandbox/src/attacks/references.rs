//! Objects of the program in the tests: what honest tests need, and what a dishonest object cannot do.

use super::{doubles, exception, sandbox, tested};
use crate::ProgramVerdict;

#[test]
fn tests_build_and_walk_objects_of_the_program() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let tree = "class f:\n    def __init__(self, value):\n        self.value, self.left = value, None\n        self.items = {}\n\
                \x20   def depth(self):\n        return 1 + (self.left.depth() if self.left else 0)\n\
                \x20   def __len__(self): return self.value\n    def __iter__(self): return iter([1, 2])\n\
                \x20   def __getitem__(self, key): return self.items[key]\n\
                \x20   def __setitem__(self, key, value): self.items[key] = value\n\
                \x20   def __str__(self): return f'<{self.value}>'\n\
                \x20   def lazy(self):\n        for i in range(3): yield self.value + i\n";
    let tests = "root = f(1)\nroot.left = f(2)\nroot.left.left = f(3)\nassert root.depth() == 3\n\
                 assert root.left.value == 2 and root.left.left.left is None\nassert root.left is root.left\n\
                 assert len(root) == 1 and list(root) == [1, 2] and 2 in root and 3 not in root\nroot[5] = 'a'\nassert root[5] == 'a'\n\
                 assert str(root) == '<1>' and root\nassert list(root.lazy()) == [1, 2, 3]\n\
                 assert next(root.lazy()) == 1\nassert sorted(map(lambda i: -i, root.lazy())) == [-3, -2, -1]\n\
                 del root.left\ntry:\n    root.left\nexcept AttributeError:\n    pass\nelse:\n    raise AssertionError\n\
                 assert root != f(1) and root == root";
    assert_eq!(sandbox.judge(&tested(tree, tests)), ProgramVerdict::Passed);
}

#[test]
fn exceptions_are_of_the_nearest_built_in_class() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let source = "class Own(KeyError): pass\ndef f(kind):\n    raise {'value': ValueError('text'), 'own': Own(1)}[kind]";
    let tests = "try:\n    f('value')\nexcept ValueError as error:\n    assert str(error) == 'text'\n\
                 try:\n    f('own')\nexcept LookupError:\n    pass\n";
    assert_eq!(
        sandbox.judge(&tested(source, tests)),
        ProgramVerdict::Passed
    );
    // The end of the program is no exception that tests could catch.
    let ended = tested(
        "import os\ndef f():\n    os._exit(0)",
        "try:\n    f()\nexcept BaseException:\n    pass",
    );
    assert_eq!(sandbox.judge(&ended), ProgramVerdict::Ended);
}

#[test]
fn what_a_call_changes_in_its_arguments_is_changed() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let source = "def f(a, b, c):\n    a.sort()\n    b['x'] = 1\n    c.add(3)";
    let tests = "a, b, c = [2, 1], {}, set()\nassert f(a, b, c) is None\nassert (a, b, c) == ([1, 2], {'x': 1}, {3})";
    assert_eq!(
        sandbox.judge(&tested(source, tests)),
        ProgramVerdict::Passed
    );
}

#[test]
fn an_object_has_no_equality_order_or_arithmetic_of_its_own() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let source = "class A:\n    def __getattr__(self, name): return lambda *a: True\n    __eq__ = __ge__ = __le__ = __lt__ = __gt__ = \
                  __contains__ = __sub__ = __rsub__ = __abs__ = __round__ = __mod__ = __and__ = __index__ = __float__ = \
                  lambda *a: True\n    __hash__ = lambda self: 4\n    def __ne__(self, other): return False\n\
                  def f(x):\n    return A()";
    for test in [
        "assert f(1) == 4",
        "assert 4 == f(1)",
        "assert not f(1) != 4",
        "assert f(1) in [4]",
        "assert f(1) in {4}",
        "assert 4 in f(1)",
        "assert [f(1)] == [4]",
        "assert (f(1),) == (4,)",
        "assert {f(1)} == {4}",
        "assert {1: f(1)} == {1: 4}",
        "assert f(1) >= 4",
        "assert abs(f(1) - 4) < 1e-6",
        "assert round(f(1), 2) == 4",
        "assert float(f(1)) == 4",
        "assert f(1) & 4",
        "assert f(1).__eq__(4) is True",
        "assert isinstance(f(1), int)",
        "assert max([f(1), 4]) == 4",
        "assert sum([f(1)]) == 4",
    ] {
        let verdict = sandbox.judge(&tested(source, test));
        assert!(exception(&verdict).is_some(), "{test}: {verdict}");
    }
}

#[test]
fn replies_are_data_whatever_they_are() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    for line in [
        r#"{"value": true}"#,
        r#"{"value": ["o", 0]}"#,
        r#"{"value": ["o", -1]}"#,
        r#"{"value": ["T", "object"]}"#,
        r#"{"value": ["l", [["l", []]]]}"#,
        r#"{"value": {"passed": true}}"#,
        r#""passed""#,
        "[]",
        "null",
        r#"{"error": "E", "built_in": "exec", "message": "x"}"#,
        r#"{"error": "E", "built_in": "SystemExit", "message": "0"}"#,
        r#"{"absent": true}"#,
        r#"{"value": 4, "arguments": [["l", []]]}"#,
    ] {
        let source = format!(
            "import __main__\n__main__.to_line = lambda message: b'''{line}\\n'''\ndef f(x):\n    return x"
        );
        let verdict = sandbox.judge(&doubles(&source));
        assert!(!verdict.passed(), "{line}: {verdict}");
    }
}
