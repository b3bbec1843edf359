#!/usr/bin/env python3
"""README.md says what is true: its programs are files of examples/, their output is what
tests/examples expects, its table of stores and options is the library's, its links lead somewhere.

usage: readme_test.py [COMMAND] [--write]
  COMMAND  build/PRESET/chainstore; without it the one that was built last
  --write  puts what ought to be there into README.md
"""
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def find_command():
    """The command that was named, or the newest that was built: its table of everything there is
    is the library's own."""
    named = [word for word in sys.argv[1:] if not word.startswith("--")]
    built = sorted(ROOT.glob("build/*/chainstore"), key=lambda path: path.stat().st_mtime)
    assert named or built, "build the target chainstore_command first: the table comes from it"
    return named[0] if named else built[-1]


def options_block():
    shown = subprocess.run([find_command(), "help", "stores", "--json"], check=True,
                           capture_output=True, text=True).stdout
    lines = ["| in text | made by | name | values | default | meaning |", "|---|---|---|---|---|---|"]
    owner = ""
    for row in map(json.loads, shown.splitlines()):
        if "usage" in row:
            usage = "`chain(name=value, STORE > STORE)`" if row["kind"] == "chain" else \
                f"`{row['usage']}`"
            owner = f"{usage} | `{row['constructor']}`"
            continue
        values = row["values"].replace("|", ", ")
        default = "required" if row["required"] else f"`{row['default']}`" if row["default"] else ""
        meaning = row["help"].replace("|", "\\|")
        lines.append(f"| {owner} | `{row['name']}` | {values} | {default} | {meaning} |")
        owner = " | "
    return "\n".join(lines)


def block(kind, name):
    """What stands between `<!-- KIND NAME -->` and `<!-- end -->`."""
    if kind == "options":
        return options_block()
    if kind == "program":
        return "```c\n" + (ROOT / "examples" / name).read_text().rstrip() + "\n```"
    if kind == "output":
        return "```\n" + (ROOT / "tests/examples" / name).read_text().rstrip() + "\n```"
    raise ValueError(f"README.md: unknown block '{kind}'")


def main():
    readme = ROOT / "README.md"
    text = readme.read_text()
    pattern = re.compile(r"(<!-- (\w+)(?: (\S+))? -->\n)(.*?)(<!-- end -->)", re.S)
    kinds = [match[1] for match in pattern.findall(text)]
    assert {"options", "program", "output"} <= set(kinds), f"README.md has only blocks of {kinds}"
    right = pattern.sub(lambda m: m[1] + block(m[2], m[3]) + "\n" + m[5], text)
    if "--write" in sys.argv[1:]:
        readme.write_text(right)
    elif right != text:
        for is_line, must_line in zip(text.split("\n"), right.split("\n")):
            if is_line != must_line:
                sys.exit(f"README.md is not true any more. It says\n  {is_line}\nand must say\n"
                         f"  {must_line}\n(tests/docs/readme_test.py --write mends it)")
        sys.exit("README.md has lines too many or too few: tests/docs/readme_test.py --write")
    for target in re.findall(r"\]\(([^)#:]+)\)", right):
        assert (ROOT / target).exists(), f"README.md links to {target}, which does not exist"
    print(f"README.md: {len(kinds)} blocks are true")


if __name__ == "__main__":
    main()
