#!/usr/bin/env python3
"""Checks the written conventions that a program can check, and prints what breaks one.

    check_structure.py ROOT

The include graph goes one way; files and functions keep their limits; `extern "C"` is for src/capi;
every public name of the header has a comment; every source has its test; nothing is put off, and no
path of somebody's machine is in it. Exits 1 if it found something.
"""
import pathlib
import re
import sys

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 70
CODE = {".h", ".cc", ".c"}
TEXT = CODE | {".sh", ".py", ".cmake", ".md", ".txt", ".json", ".map", ".in"}
PUBLIC_HEADER = "include/chainstore.h"

# Sources without an X_test of their own: the test that covers them instead (a file or a folder
# below tests: parts that are seen through their store), or in words why there is nothing to test.
TESTED_ELSEWHERE = {
    "src/capi/abi_asserts.cc": "static assertions: it compiles or it does not",
    "src/capi/call.cc": "tests/capi",
    "src/capi/calls_async.cc": "tests/capi",
    "src/capi/calls_sync.cc": "tests/capi",
    "src/capi/custom_request.cc": "tests/capi/custom_test.c",
    "src/capi/custom_store.cc": "tests/capi/custom_test.c",
    "src/capi/events.cc": "tests/capi",
    "src/capi/managers.cc": "tests/capi",
    "src/capi/operations.cc": "tests/capi",
    "src/capi/options.cc": "tests/capi",
    "src/capi/stores.cc": "tests/capi",
    "src/cli/about.cc": "tests/cli",
    "src/cli/arguments.cc": "tests/cli",
    "src/cli/bench.cc": "tests/cli",
    "src/cli/entries.cc": "tests/cli",
    "src/cli/explain.cc": "tests/cli",
    "src/cli/interrupt.cc": "tests/cli",
    "src/cli/main.cc": "tests/cli",
    "src/cli/output.cc": "tests/cli",
    "src/cli/progress.cc": "tests/cli",
    "src/cli/scans.cc": "tests/cli",
    "src/cli/session.cc": "tests/cli",
    "src/cli/text.cc": "tests/cli",
    "src/chain/chain_fill.cc": "tests/chain/chain_freshness_test.cc",
    "src/chain/chain_get_many.cc": "tests/chain/chain_get_test.cc",
    "src/chain/chain_order.cc": "tests/chain/chain_write_test.cc",
    "src/chain/chain_scan.cc": "tests/chain/merge_test.cc",
    "src/chain/repairs.cc": "tests/chain/chain_write_test.cc",
    "src/chain/trips.cc": "tests/chain/chain_freshness_test.cc",
    "src/core/trace_sink.cc": "tests/core/trace_test.cc",
    "src/managers/lru/budget.cc": "tests/managers/lru",
    "src/managers/lru/checker.cc": "tests/managers/lru",
    "src/managers/lru/evictor.cc": "tests/managers/lru",
    "src/managers/lru/key_arena.cc": "tests/managers/lru",
    "src/managers/lru/ledger_shard.cc": "tests/managers/lru",
    "src/managers/lru/loader.cc": "tests/managers/lru",
    "src/managers/lru/lru_policy.cc": "tests/managers/lru",
    "src/managers/lru/recency_keeper.cc": "tests/managers/lru",
    "src/managers/lru/s3fifo_policy.cc": "tests/managers/lru/s3fifo_test.cc",
    "src/managers/lru/slots.cc": "tests/managers/lru",
    "src/managers/lru/ticker.cc": "tests/managers/lru",
    "src/managers/lru/write_op.cc": "tests/managers/lru",
    "src/managers/write_behind/call_watch.cc": "tests/managers/write_behind",
    "src/managers/write_behind/op.cc": "tests/managers/write_behind",
    "src/managers/write_behind/pending.cc": "tests/managers/write_behind",
    "src/managers/write_behind/queue.cc": "tests/managers/write_behind",
    "src/managers/write_behind/scan_page.cc": "tests/managers/write_behind",
    "src/managers/write_behind/scheduler.cc": "tests/managers/write_behind",
    "src/managers/write_behind/settings.cc": "tests/managers/write_behind",
    "src/managers/fault/plan.cc": "tests/managers/fault/fault_test.cc",
    "src/managers/key_hash/key_scan.cc": "tests/managers/key_hash/key_hash_test.cc",
    "src/managers/metrics/counters.cc": "tests/managers/metrics/metrics_test.cc",
    "src/managers/logging/log_line.cc": "tests/managers/logging/logging_test.cc",
    "src/text/value_reader.cc": "tests/text/parser_test.cc",
    "src/stores/directory_claims.cc": "tests/stores/owned_directory_test.cc",
    "src/stores/filesystem/file_mark.cc": "tests/stores/filesystem",
    "src/stores/filesystem/file_reader.cc": "tests/stores/filesystem",
    "src/stores/filesystem/tree_scan.cc": "tests/stores/filesystem",
    "src/stores/lmdb/bucket.cc": "tests/stores/lmdb",
    "src/stores/lmdb/bucket_write.cc": "tests/stores/lmdb",
    "src/stores/lmdb/data_file.cc": "tests/stores/lmdb",
    "src/stores/lmdb/environment.cc": "tests/stores/lmdb",
    "src/stores/lmdb/lmdb_error.cc": "tests/stores/lmdb",
    "src/stores/lmdb/map_space.cc": "tests/stores/lmdb",
    "src/stores/lmdb/page_reader.cc": "tests/stores/lmdb",
    "src/stores/lmdb/stored_key.cc": "tests/stores/lmdb",
    "src/stores/memory/memory_entry.cc": "tests/stores/memory",
    "src/stores/memory/memory_shard.cc": "tests/stores/memory",
    "src/stores/memory/huge_pages.cc": "tests/stores/memory",
}


def files_below(root, folders, suffixes):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix in suffixes:
                yield path


def without_comments(text, keep_strings=False):
    """The same text with comments, and the inside of strings, blanked out; lines stay in place."""
    def blank(match):
        found = match.group(0)
        if found[0] == "/":
            return re.sub(r"[^\n]", " ", found)
        if keep_strings:
            return found
        return found[0] + re.sub(r"[^\n]", " ", found[1:-1]) + found[-1]

    # Raw strings first; a quote between digits (1'000) begins no character.
    pattern = (r'R"(?P<d>[^()\\ ]*)\(.*?\)(?P=d)"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
               r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'")
    return re.sub(pattern, blank, text, flags=re.S)


# ---- The include graph ----

def part_of(path):
    """Of a path below src: its layer, and within stores and managers its own corner of it."""
    folders = path.split("/")
    if folders[0] in ("stores", "managers"):
        corner = folders[1] if len(folders) > 2 else ""
        if folders[0] == "managers" and not corner:
            corner = pathlib.PurePosixPath(folders[1]).stem
        return folders[0], corner
    return folders[0], ""


# What each layer may include beside itself.
BELOW = {
    "base": set(),
    "core": {"base"},
    "stores": {"base", "core"},
    "managers": {"base", "core"},
    "chain": {"base", "core", "stores", "managers"},
    "text": {"base", "core", "stores", "managers", "chain"},
    "capi": {"base", "core", "stores", "managers", "chain", "text"},
    "cli": set(),  # only the public header
}


def check_includes(root):
    for path in files_below(root, ["src"], CODE):
        name = path.relative_to(root / "src").as_posix()
        layer, corner = part_of(name)
        text = without_comments(path.read_text(), keep_strings=True)
        for line, included in re.findall(r'^()[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)', text, re.M):
            if included == "chainstore.h":
                if layer not in ("capi", "cli"):
                    yield path, f"{layer} includes the public header, which is for capi"
                continue
            if not (root / "src" / included).is_file():
                continue  # another library's
            other, other_corner = part_of(included)
            if layer not in BELOW:
                yield path, f"no rule says what src/{layer} may include"
            elif other != layer and other not in BELOW[layer]:
                yield path, f"{layer} includes {included}: the include graph goes one way"
            elif other == layer and corner != other_corner and other_corner:
                yield path, f"{layer}/{corner or name} includes {included}: they are independent"
    for path in files_below(root, ["examples"], CODE):
        for included in re.findall(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)', path.read_text(), re.M):
            if (root / "src" / included).is_file():
                yield path, f"an example includes {included}, which no user has"


# ---- Sizes ----

def check_file_length(root):
    for path in files_below(root, ["src", "tests", "include", "examples", "bindings"],
                            CODE | {".sh", ".py"}):
        name = path.relative_to(root).as_posix()
        if name == PUBLIC_HEADER or name.startswith("tests/abi/released/"):  # of today, and earlier
            continue
        lines = path.read_text().count("\n")
        if lines > MAX_FILE_LINES:
            yield path, f"{lines} lines, and {MAX_FILE_LINES} are the most"


LABELS = re.compile(r"\s*(?:(?:public|private|protected)\s*:\s*)*")
CONTAINER = re.compile(r"\b(?:namespace|class|struct|union|enum)\b[^()=]*$|\bextern\s*\"\s*\"\s*$")


def is_container(head):
    """Whether the brace after `head` opens a scope that holds declarations."""
    before = None
    while head != before:  # template arguments may hold parentheses
        before = head
        head = re.sub(r"<[^<>;{}]*>", "", head)
    return "(" not in head and "=" not in head or CONTAINER.search(head)


def functions_of(text):
    """(name, first line, lines) of each function body, as well as braces alone can tell."""
    text = without_comments(text)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)),
                  text, flags=re.M)
    open_in_function = 0
    head_begin = body_begin = 0
    at = 0
    while at < len(text):
        char = text[at]
        if open_in_function:
            if char == "{":
                open_in_function += 1
            elif char == "}":
                open_in_function -= 1
                if open_in_function == 0:
                    rest = text[at + 1:].lstrip()
                    if not rest.startswith(("{", ",")):  # else: a member's initialiser
                        begin = LABELS.match(text, head_begin).end()
                        first = text.count("\n", 0, begin) + 1
                        last = text.count("\n", 0, at) + 1
                        called = re.search(r"([\w:~]+)\s*\(", text[begin:body_begin])
                        if called:
                            yield called.group(1), first, last - first + 1
                        head_begin = at + 1
        elif char == "{":
            head = text[head_begin:at]
            if is_container(head):
                head_begin = at + 1
            else:
                open_in_function = 1
                body_begin = at
        elif char in "};":
            head_begin = at + 1
        at += 1


def check_function_length(root):
    for path in files_below(root, ["src", "tests", "examples"], CODE):
        for name, first, lines in functions_of(path.read_text()):
            if lines > MAX_FUNCTION_LINES:
                yield path, (f"line {first}: {name} has {lines} lines, and {MAX_FUNCTION_LINES} "
                             "are the most")


# ---- The ABI and the header ----

def check_extern_c(root):
    for path in files_below(root, ["src"], CODE):
        if path.relative_to(root).as_posix().startswith("src/capi/"):
            continue
        if re.search(r'\bextern\s*"C"', without_comments(path.read_text(), keep_strings=True)):
            yield path, 'extern "C" is for src/capi'


PUBLIC_NAME = re.compile(
    r"^CS_API\b.*?\b(?P<function>cs_\w+)\s*\(|^typedef\b.*?\b(?P<type>cs_\w+)\s*[;{()]"
    r"|^\s+(?P<constant>CS_[A-Z0-9_]+)\s*=|^#define\s+(?P<macro>CS_[A-Z0-9_]+)")
UNDOCUMENTED_MACROS = {"CS_API"}  # its four forms explain themselves


def check_comments(root):
    """A name's comment is beside it, or above its group: the lines without a blank one between."""
    path = root / PUBLIC_HEADER
    if not path.is_file():
        return
    lines = path.read_text().split("\n")
    for at, line in enumerate(lines):
        found = PUBLIC_NAME.search(line)
        if not found:
            continue
        name = next(group for group in found.groups() if group)
        if name in UNDOCUMENTED_MACROS or "/*" in line:
            continue
        above = at
        while above > 0 and lines[above - 1].strip() and "*/" not in lines[above - 1]:
            above -= 1
        below = at
        while "/*" not in lines[below] and lines[below].rstrip().endswith((",", "(", "=", "\\")):
            below += 1
        if above > 0 and "*/" in lines[above - 1] or "/*" in lines[below]:
            continue
        yield path, f"line {at + 1}: {name} has no comment"


# ---- Tests ----

def check_tests(root):
    for path in files_below(root, ["src"], {".cc"}):
        name = path.relative_to(root).as_posix()
        folder = root / "tests" / path.relative_to(root / "src").parent
        own = [test for end in ("_test.cc", "_test.c", "_*_test.cc", "_*_test.c")
               for test in folder.glob(path.stem + end)]
        if not own and name not in TESTED_ELSEWHERE:
            yield path, f"has no {path.stem}_test, and check_structure.py does not say why"
        if own and name in TESTED_ELSEWHERE:
            yield path, "has a test: take it off the list in check_structure.py"
    for name, test in TESTED_ELSEWHERE.items():
        if not (root / name).is_file():
            yield root / name, "is on the list in check_structure.py, and is not there"
        elif test.startswith("tests/") and not (root / test).exists():
            yield root / name, f"is tested by {test}, which is not there"


# ---- What must not be in it ----

PUT_OFF = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
# Behind `+ "` it is a path below another one.
MACHINE_PATH = re.compile(r'(?<![\w.}])(?<!\+ ")/(?:home|root|Users|work|mnt)/\w')


def check_words(root):
    folders = ["src", "include", "tests", "examples", "bindings", "cmake", "pkgconfig", ".ci"]
    paths = list(files_below(root, folders, TEXT))
    paths += [path for path in sorted(root.glob("*")) if path.is_file() and path.suffix in TEXT]
    for path in paths:
        for number, line in enumerate(path.read_text(errors="replace").split("\n"), 1):
            if PUT_OFF.search(line):
                yield path, f"line {number}: something is put off; do it, or open an issue"
            if MACHINE_PATH.search(line):
                yield path, f"line {number}: a path of somebody's machine"


CHECKS = [check_includes, check_file_length, check_function_length, check_extern_c,
          check_comments, check_tests, check_words]


def problems(root):
    return [f"{path.relative_to(root).as_posix()}: {text}"
            for check in CHECKS for path, text in check(root)]


def main():
    found = problems(pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(found) if found else "the structure is as it should be")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
