#!/usr/bin/env python3
"""Compares chainstore.h, tests/abi/symbols.txt, the version script and both libraries: one list of
functions, in one order, nothing missing, nothing else exported, each documented, and none of it the
name of a function of a library that a user may link too.
usage: symbols.py PROJECT_DIR NM SHARED_LIBRARY STATIC_LIBRARY"""
import re
import subprocess
import sys

# libcapstone's and FreeTDS's exports that begin with cs_: linked beside ours, a common name would be
# called in the wrong library.
FOREIGN = set("""
cs_version cs_support cs_open cs_close cs_option cs_errno cs_strerror cs_disasm cs_free cs_malloc
cs_disasm_iter cs_reg_name cs_insn_name cs_group_name cs_insn_group cs_reg_read cs_reg_write
cs_op_count cs_op_index cs_regs_access
cs_cmp cs_calc cs_config cs_conv_mult cs_convert cs_ctx_alloc cs_ctx_drop cs_ctx_global cs_diag
cs_dt_crack cs_dt_info cs_loc_alloc cs_loc_drop cs_locale cs_manage_convert cs_maxcol_name cs_objects
cs_prretcode cs_set_convert cs_setnull cs_strbuild cs_strcmp cs_time cs_will_convert
""".split())

# A user can know an interface of so many. A new function must be worth one of them.
MOST_FUNCTIONS = 120


def functions_of_header(text):
    return re.findall(r"^CS_API [^;]*?\b(cs_[a-z0-9_]+)\(", text, re.M)


def undocumented(text):
    """Functions with neither a comment right above nor a documented one right above them."""
    documented, missing = False, []
    for block in re.split(r"\n\s*\n", text):
        begins_with_comment = block.lstrip().startswith("/*")
        names = functions_of_header(block)
        if not names:
            continue
        documented = begins_with_comment
        if not documented:
            missing += names
    return missing


def exported(nm, options, library):
    lines = subprocess.run([nm, *options, library], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    names = []
    for line in lines:
        fields = line.split()
        if len(fields) >= 2 and fields[-2] in "TWVBDR":
            names.append(fields[-1])
    return names


def main():
    project, nm, shared, static = sys.argv[1:]
    problems = []

    def same(what, found, wanted):
        for name in wanted:
            if name not in found:
                problems.append(f"{what}: {name} is missing")
        for name in found:
            if name not in wanted:
                problems.append(f"{what}: {name} is not a function of the header")
        if not problems and found != wanted:
            problems.append(f"{what}: the order is not that of the header")

    with open(f"{project}/include/chainstore.h", encoding="utf-8") as file:
        header = file.read()
    functions = functions_of_header(header)
    if len(functions) < 50:
        problems.append("the header has hardly any functions: is it still read rightly?")
    if len(functions) >= MOST_FUNCTIONS:
        problems.append(f"{len(functions)} functions: fewer than {MOST_FUNCTIONS} were promised")
    if len(set(functions)) != len(functions):
        problems.append("a function is declared twice")
    problems += [f"{name} has no comment" for name in undocumented(header)]
    problems += [f"{name} is a foreign library's" for name in functions if name in FOREIGN]

    with open(f"{project}/tests/abi/symbols.txt", encoding="utf-8") as file:
        same("symbols.txt", [l.strip() for l in file if l.strip() and l[0] != "#"], functions)
    with open(f"{project}/src/capi/chainstore.map", encoding="utf-8") as file:
        same("chainstore.map", re.findall(r"^\s+(cs_\w+);", file.read(), re.M), functions)

    dynamic = [n for n in exported(nm, ["-D", "--defined-only"], shared)]
    versions = {n.partition("@")[2].lstrip("@") for n in dynamic if "@" in n}
    names = sorted({n.partition("@")[0] for n in dynamic} - {"CHAINSTORE_0.1"})
    sanitizers = re.compile(r"__(asan|ubsan|tsan|sanitizer|odr|start|stop)|^_ZTS|^_ZTI|^_ZN10__")
    same("the shared library", sorted(n for n in names if not sanitizers.match(n)),
         sorted(functions))
    if versions - {"CHAINSTORE_0.1"} or not versions:
        problems.append(f"version nodes of the shared library: {sorted(versions)}")
    in_static = {n for n in exported(nm, ["-g", "--defined-only"], static) if n.startswith("cs_")}
    same("the static library", sorted(in_static), sorted(functions))

    print("\n".join(problems) or f"{len(functions)} functions: all agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
