#!/usr/bin/env python3
"""Shows that check_structure.py goes red on each violation, and stays green on what is fine."""
import pathlib
import tempfile
import unittest

import check_structure


class StructureTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        self.listed = check_structure.TESTED_ELSEWHERE
        self.addCleanup(setattr, check_structure, "TESTED_ELSEWHERE", self.listed)
        check_structure.TESTED_ELSEWHERE = {}
        for name in ("base/a", "core/b", "stores/shared", "stores/one/c", "stores/two/d",
                     "managers/single", "managers/three/e", "managers/four/f", "chain/g", "capi/h"):
            self.plant(f"src/{name}.h", "// A file.\n#include <vector>\n")

    def plant(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def expect(self, *parts):
        found = check_structure.problems(self.root)
        self.assertEqual(len(found), 1 if parts else 0, found)
        for part in parts:
            self.assertIn(part, found[0])

    def include(self, name, included):
        self.plant(f"src/{name}", f'#include "{included}"\n')

    def test_what_is_fine_is_green(self):
        for name, included in (("core/x.h", "base/a.h"), ("stores/x.h", "stores/shared.h"),
                               ("stores/one/x.h", "stores/shared.h"),
                               ("stores/one/y.h", "stores/one/c.h"),
                               ("managers/three/x.h", "core/b.h"),
                               ("managers/three/y.h", "managers/three/e.h"),
                               ("chain/x.h", "managers/four/f.h"), ("capi/x.h", "stores/two/d.h"),
                               ("capi/y.h", "chainstore.h")):
            self.include(name, included)
        self.expect()

    def test_an_include_that_goes_up(self):
        self.include("base/x.h", "core/b.h")
        self.expect("src/base/x.h", "one way")

    def test_an_engine_that_includes_another(self):
        self.include("stores/one/x.h", "stores/two/d.h")
        self.expect("independent")

    def test_a_shared_file_that_includes_an_engine(self):
        self.include("stores/x.h", "stores/one/c.h")
        self.expect("independent")

    def test_a_manager_that_includes_another(self):
        self.include("managers/three/x.h", "managers/four/f.h")
        self.expect("independent")

    def test_a_manager_that_includes_one_of_a_single_file(self):
        self.include("managers/three/x.h", "managers/single.h")
        self.expect("independent")

    def test_a_store_that_includes_a_manager(self):
        self.include("stores/one/x.h", "managers/three/e.h")
        self.expect("one way")

    def test_a_manager_that_includes_a_store(self):
        self.include("managers/three/x.h", "stores/shared.h")
        self.expect("one way")

    def test_the_chain_that_includes_the_abi(self):
        self.include("chain/x.h", "capi/h.h")
        self.expect("one way")

    def test_the_public_header_below_the_abi(self):
        self.include("core/x.h", "chainstore.h")
        self.expect("public header")

    def test_an_example_with_an_include_that_no_user_has(self):
        self.plant("examples/x.c", '#include "base/a.h"\n')
        self.expect("no user has")

    def test_a_layer_without_a_rule(self):
        self.include("other/x.h", "base/a.h")
        self.expect("no rule")

    def test_a_file_that_is_too_long(self):
        self.plant("tests/x.h", "int a;\n" * 600)
        self.expect()
        self.plant("tests/x.h", "int a;\n" * 601)
        self.expect("601 lines")

    def test_a_function_that_is_too_long(self):
        for before, head, after in (
                ("", "void Long(int a) {", ""),
                ("", "Long::Long(int a) : a_{a}, b_(2) {", ""),
                ("", "template <class T> auto Long() -> T {", ""),
                ("", "TEST(Long, Test) {", ""),
                ("class C {\n public:\n", "  void Long() const noexcept override {", "};\n"),
                ("namespace a {\nnamespace {\n", 'extern "C" int Long(void) {', "}\n}\n"),
                ("template <class R, class... A>\nclass C<R(A...)> {\n", "  void Long() {", "};\n"),
                ("#define X(a) \\\n  {\n", "void Long() {", "")):
            text = before + head + "\n" + "  f();\n" * 68 + "}\n"
            self.plant("tests/x.h", text + after)
            self.expect()
            self.plant("tests/x.h", text.replace("{\n  f();", "{\n  f();\n  f();", 1) + after)
            self.expect("TEST" if "TEST" in head else "Long", "71 lines")

    def test_braces_in_strings_and_comments_do_not_count(self):
        text = 'int Short() {\n  // {\n  /* { */ return g("{", \'{\', R"({)");\n}\n'
        self.plant("tests/x.h", text + "int a = 1'000;\n" * 100)
        self.expect()

    def test_a_table_is_no_function(self):
        self.plant("tests/x.h", "constexpr int kTable[] = {\n" + "  f(1),\n" * 100 + "};\n")
        self.expect()

    def test_extern_c_outside_the_abi(self):
        self.plant("src/capi/x.h", 'extern "C" void f();\n')
        self.plant("src/core/x.h", '// extern "C"\n')
        self.expect()
        self.plant("src/core/x.h", 'extern "C" void f();\n')
        self.expect("src/capi")

    def test_a_public_name_without_a_comment(self):
        good = ("/* A. */\ntypedef struct cs_a cs_a;\n\n/* B. */\nCS_API int cs_b(void);\n"
                "CS_API int cs_b2(int a,\n    int b);\n\n/* C. */\nenum {\n  CS_C = 1,\n  CS_D = 2\n};\n"
                "enum {\n  CS_E = 1, /* E. */\n  CS_F = /* F. */\n    1\n};\n\n#define CS_API x\n")
        self.plant("include/chainstore.h", good)
        self.expect()
        for bad in ("CS_API int cs_x(void);\n", "typedef struct cs_x cs_x;\n",
                    "typedef struct cs_x {\n  int a; /* A. */\n} cs_x;\n", "enum {\n  CS_X = 1\n};\n",
                    "#define CS_X 1\n", "typedef void (*cs_x)(int a);\n"):
            self.plant("include/chainstore.h", good + "\n" + bad)
            self.expect("has no comment", "X" if "CS_X" in bad else "cs_x")

    def test_a_source_without_a_test(self):
        self.plant("src/core/x.cc", "int a;\n")
        self.expect("src/core/x.cc", "x_test")
        self.plant("tests/core/x_test.cc", "int a;\n")
        self.expect()

    def test_a_source_that_is_tested_elsewhere(self):
        self.plant("src/core/x.cc", "int a;\n")
        check_structure.TESTED_ELSEWHERE = {"src/core/x.cc": "tests/core/y_test.cc"}
        self.expect("tests/core/y_test.cc")
        self.plant("tests/core/y_test.cc", "int a;\n")
        self.expect()
        self.plant("tests/core/x_test.cc", "int a;\n")
        self.expect("take it off the list")

    def test_a_list_that_names_what_is_not_there(self):
        check_structure.TESTED_ELSEWHERE = {"src/core/x.cc": "nothing to test: it is no code"}
        self.expect("is not there")

    def test_what_is_put_off(self):
        for word in ("TO" "DO", "FIX" "ME", "XX" "X"):
            self.plant("src/core/x.h", f"// {word}: later\n")
            self.expect("put off")

    def test_a_path_of_somebodys_machine(self):
        self.plant("README.md", "See /ho" "me/me/x.\n")
        self.expect("README.md", "machine")
        self.plant("tests/x.h", 'f(directory + "/root/k");\n')
        self.plant("README.md", "See ${HOME}/home/x, https://a.example/home/x, src/root/x.\n")
        self.expect()


if __name__ == "__main__":
    unittest.main()
