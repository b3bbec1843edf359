#!/usr/bin/env python3
"""Help, manual page and completion say the same: every command, every option, every exit code.

usage: manual_test.py COMMAND SOURCE_DIR [TEST...]
"""
import json
import re
import subprocess

import command


class ManualTest(command.CommandTest):
    def help(self):
        return self.expect(0, "help").stdout.decode()

    def commands(self):
        block = self.help().partition("\ncommands\n")[2].partition("\n\n")[0]
        return [line.split()[0] for line in block.split("\n")]

    def options(self):
        block = self.help().partition("\noptions\n")[2].partition("\n\n")[0]
        return [line.split()[0] for line in block.split("\n")]

    def test_the_manual_has_every_command_option_and_exit_code(self):
        self.assertEqual(self.commands(), "get put del ls stat copy describe bench version "
                                          "help".split())
        with open(f"{command.SOURCE}/src/cli/chainstore.1", encoding="utf-8") as file:
            manual = file.read().replace("\\-", "-")
        for name in self.commands():
            self.assertRegex(manual, rf"\.TP\n\.BI? {name}\b")
        for name in self.options():
            self.assertRegex(manual, rf"\.TP\n\.BI? {name}\b")
        for code in re.findall(r"(?:^|   )(\d+) ", self.help().partition("exit codes")[2], re.M):
            if code != "128":
                self.assertIn(f".TP\n.B {code}\n", manual)

    def complete(self, *words):
        script = (f"source {command.SOURCE}/src/cli/completion.bash; "
                  'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _chainstore; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, "-", command.COMMAND, *words], check=True,
                              cwd=self.folder, capture_output=True, text=True)
        return done.stdout.split()

    def test_completion_knows_every_command_and_option(self):
        at_store = [name for name in self.commands() if name not in ("version", "help")]
        self.assertEqual(set(at_store) - set(self.complete("file:d", "")), set())
        self.assertEqual(self.complete("file:d", "des"), ["describe"])
        self.assertEqual(self.complete("ver"), ["version"])
        self.assertEqual(self.complete("help", ""), ["stores"])
        offered = set()
        for name in at_store:
            offered |= set(self.complete("file:d", name, "--"))
            for option in self.complete("file:d", name, "--"):
                if option not in ("--help",):
                    said = self.run_command("file:d", name, option + "=x").stderr.decode()
                    self.assertNotIn(f"{name} has no", said)
                    self.assertNotIn("unknown option", said)
        self.assertEqual(set(self.options()) - offered, set())
        with open(self.path("value.txt"), "wb"):
            pass
        self.assertEqual(self.complete("file:d", "put", "k", "val"), ["value.txt"])

    def test_completion_knows_every_store_and_manager(self):
        offered = set(self.complete(""))
        table = [json.loads(line) for line in
                 self.expect(0, "help", "stores", "--json").stdout.decode().splitlines()]
        written = [row["usage"] for row in table if row["kind"] in ("store", "manager")]
        self.assertGreater(len(written), 8)
        for usage in written:
            self.assertTrue([name for name in offered if usage.startswith(name)], usage)
        self.assertEqual(self.complete("lev"), ["leveldb:"])

    def test_help_stores_lists_what_can_be_opened(self):
        shown = self.expect(0, "help", "stores").stdout.decode()
        for part in ("memory:   a map in memory", "lru(MAX_BYTES, STORE)", "    max_bytes ",
                     "file:DIRECTORY", "STORE > STORE"):
            self.assertIn(part, shown)

    def test_version(self):
        shown = self.expect(0, "version").stdout.decode()
        self.assertRegex(shown, r"\Achainstore \d+\.\d+\.\d+\nwith memory file ")
        self.assertEqual(self.expect(0, "--version").stdout.decode(), shown)


if __name__ == "__main__":
    command.main()
