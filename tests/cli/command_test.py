#!/usr/bin/env python3
"""Each command of chainstore, what it prints, and what it says of bad input.

usage: command_test.py COMMAND SOURCE_DIR [TEST...]
"""
import http.server
import json
import os
import subprocess
import threading

import command


class EntryTest(command.CommandTest):
    def test_put_and_get_from_files_and_pipes(self):
        value = bytes(range(256)) * 1000
        self.expect(0, "file:d", "put", "k", stdin=value, out=b"")
        self.expect(0, "file:d", "get", "k", out=value)
        with open(self.path("in"), "wb") as file:
            file.write(b"from a file")
        self.expect(0, "file:d", "put", "k", "in")
        self.expect(0, "file:d", "get", "k", "--output", "out", out=b"")
        with open(self.path("out"), "rb") as file:
            self.assertEqual(file.read(), b"from a file")
        self.expect(0, "file:d", "put", "k", "--value", "text")
        self.expect(0, "file:d", "get", "k", out=b"text")
        self.expect(0, "file:d", "put", "k", "-", stdin=b"")
        self.expect(0, "file:d", "get", "k", out=b"")

    def test_a_chain_keeps_its_promise_over_two_processes(self):
        chain = "lru(1MB, file:near) > timeout(2s, file:far)"
        self.expect(0, chain, "put", "k", stdin=b"value")
        self.expect(0, "file:far", "get", "k", out=b"value")
        self.expect(0, chain, "del", "k")
        self.expect(1, "file:near", "get", "k")
        self.expect(1, "file:far", "get", "k", out=b"", err="no entry 'k'")

    def test_del_removes_every_key_and_minds_none_that_is_not_there(self):
        for key in ("a", "b", "c"):
            self.expect(0, "file:d", "put", key, "--value", key)
        self.expect(0, "file:d", "del", "a", "nothing", "c")
        self.expect(0, "file:d", "ls", out=b"b\n")

    def test_if_absent_and_ttl(self):
        self.expect(0, "file:d", "put", "k", "--value", "1", "--if-absent", "--ttl", "1h")
        self.expect(1, "file:d", "put", "k", "--value", "2", "--if-absent", err="left as it is")
        self.expect(0, "file:d", "get", "k", out=b"1")
        shown = json.loads(self.expect(0, "file:d", "stat", "k", "--json").stdout)
        self.assertEqual((shown["key"], shown["size"], shown["tier"]), ("k", 1, 1))
        self.assertGreater(shown["expires_at_ms"], 0)

    def test_stat(self):
        self.expect(0, "file:d", "put", "k", "--value", "four")
        shown = self.expect(0, "file:d", "stat", "k").stdout.decode()
        self.assertRegex(shown, r"\Asize     4\nexpires  never\nversion  \d+\ntier     1\n\Z")
        self.expect(1, "file:d", "stat", "nothing", err="no entry 'nothing'")

    def test_stat_shows_what_s3_was_asked_for_and_what_it_costs(self):
        if b"s3" not in self.expect(0, "version").stdout.split():
            self.skipTest("a build without S3")

        class Server(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.send_response(200)
                self.send_header("Content-Length", "4")
                self.send_header("ETag", '"e"')
                self.end_headers()

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                store = ("s3://bucket?endpoint=http://127.0.0.1:%d&access_key=AKID&"
                         "secret_key=unspoken&session_token=hushed&prices=get=2.5"
                         % server.server_port)
                shown = self.expect(0, store, "stat", "k", "--cost",
                                    env={"CHAINSTORE_TRACE": "http"}, err="> HEAD /bucket/k ")
                self.assertRegex(shown.stdout.decode(), r"size +4\n")
                self.assertIn(b'chainstore_s3_requests_total{store="s3:bucket",kind="head",'
                              b'layer="0"} 1\n', shown.stdout)
                self.assertIn(b'chainstore_s3_cost_total{store="s3:bucket",of="get",layer="0"} '
                              b'0.0025\n', shown.stdout)
                for secret in (b"unspoken", b"hushed"):
                    self.assertNotIn(secret, shown.stderr)
                self.assertIn(b"> x-amz-security-token: ***\n", shown.stderr)
                self.assertRegex(shown.stderr, rb"> authorization: AWS4.*AKID.*Signature=\*\*\*\n")
                self.assertIn(b"< HTTP 200\n", shown.stderr)
                told = json.loads(self.expect(0, store, "stat", "k", "--cost", "--json").stdout)
                costs = {each["labels"]["of"]: each["value"] for each in told["metrics"]
                         if each["name"] == "chainstore_s3_cost_total"}
                self.assertEqual(costs["get"], 0.0025)
            finally:
                server.shutdown()
                thread.join()

    def test_json_of_get_and_of_errors(self):
        self.expect(0, "file:d", "put", "k", stdin=b"a\"\n\xff")
        shown = json.loads(self.expect(0, "file:d", "get", "k", "--json").stdout)
        self.assertEqual(shown["value_hex"], "61220aff")
        self.expect(0, "file:d", "put", "k", "--value", "a\"\n")
        shown = json.loads(self.expect(0, "file:d", "get", "k", "--json").stdout)
        self.assertEqual(shown["value"], "a\"\n")
        failed = self.expect(2, "lur(1, memory:)", "get", "k", "--json", err="column 1")
        self.assertEqual(json.loads(failed.stderr)["error"]["status"], "CS_INVALID")

    def test_explain_shows_which_stores_were_asked(self):
        chain = "chain(writes=through, lru(1MB, memory:) > file:d)"
        self.expect(0, "file:d", "put", "k", "--value", "v")
        done = self.expect(0, chain, "get", "k", "--explain", out=b"v", err="chain")
        lines = [line.split() for line in done.stderr.decode().splitlines()]
        shown = [(line[:2] if line[0] == "fill" else line[:1]) for line in lines]
        self.assertEqual([each[0].partition(":")[0] for each in shown],
                         ["chain", "lru", "memory", "file", "fill", "fill"])
        self.assertEqual([next(word for word in line if word.startswith("CS_")) for line in lines],
                         ["CS_OK", "CS_NOT_FOUND", "CS_NOT_FOUND", "CS_OK", "CS_OK", "CS_OK"])
        self.assertEqual(lines[0][-2:], ["tier", "2"])
        indents = [len(line) - len(line.lstrip()) for line in done.stderr.decode().splitlines()]
        self.assertEqual(indents, [0, 2, 4, 2, 2, 4])
        self.expect(1, chain, "get", "nothing", "--explain", "--quiet", err="CS_NOT_FOUND")

    def test_the_environment_asks_for_traces_of_everything(self):
        done = self.expect(0, "timeout(2s, file:d)", "put", "k", "--value", "v",
                           env={"CHAINSTORE_TRACE": "1"}, err="{")
        told = json.loads(done.stderr)
        self.assertEqual((told["op"], told["store"], told["key"], told["status"]),
                         ("put", "timeout", "k", "CS_OK"))
        self.assertEqual(told["spans"][0]["status"], "CS_OK")
        self.assertEqual(self.run_command("file:d", "get", "k", env={"CHAINSTORE_TRACE": "0"}).stderr,
                         b"")

    def test_a_key_that_is_not_utf8_needs_key_hex(self):
        for words in (["put", b"\xff", "--value", "x"], ["get", b"\xff"], ["stat", b"\xff"],
                      ["del", b"\xff"], ["ls", b"\xff"]):
            self.expect(2, "file:d", *words, err="--key-hex")
        self.expect(0, "file:d", "put", "--key-hex", "ff00", "--value", "x")
        self.expect(0, "file:d", "get", "FF00", "--key-hex", out=b"x")
        self.expect(0, "file:d", "ls", out=b"\\xff\\x00\n")
        self.expect(0, "file:d", "ls", "--key-hex", out=b"ff00\n")
        shown = json.loads(self.expect(0, "file:d", "ls", "--json").stdout)
        self.assertEqual(shown["key_hex"], "ff00")
        self.expect(2, "file:d", "get", "f", "--key-hex", err="'f' is not hexadecimal")
        self.expect(2, "file:d", "get", "zz", "--key-hex", err="'zz' is not hexadecimal")


class ScanTest(command.CommandTest):
    def fill(self, count=5):
        for index in range(count):
            self.expect(0, "file:d", "put", f"k{index}", "--value", "x" * index)

    def test_ls(self):
        self.fill()
        self.expect(0, "file:d", "put", "other", "--value", "")
        self.expect(0, "file:d", "ls", "k", out=b"k0\nk1\nk2\nk3\nk4\n")
        self.expect(0, "file:d", "ls", "--limit", "2", out=b"k0\nk1\n")
        self.expect(0, "file:d", "ls", "--limit", "0", out=b"")
        self.expect(0, "file:d", "ls", "--after", "k3", out=b"k4\nother\n")
        self.expect(0, "file:d", "ls", "--sizes", "--after=k2", "k", out=b"3\tk3\n4\tk4\n")
        lines = self.expect(0, "file:d", "ls", "--json").stdout.splitlines()
        self.assertEqual(json.loads(lines[2])["size"], 2)

    def test_copy(self):
        self.fill()
        self.expect(0, "file:d", "put", "short", "--value", "s", "--ttl", "1h")
        self.expect(0, "file:d", "copy", "file:e", err="6 entries copied, 11 B")
        self.expect(0, "file:e", "get", "k4", out=b"xxxx")
        shown = json.loads(self.expect(0, "file:e", "stat", "short", "--json").stdout)
        self.assertGreater(shown["expires_at_ms"], 0)
        again = self.expect(0, "file:d", "copy", "file:e", "k", "--if-absent", "--json")
        self.assertEqual(json.loads(again.stdout), {
            "copied": 0, "skipped": 5, "bytes": 0, "complete": True, "last_key": "k4"})
        self.expect(0, "file:d", "copy", "file:f", "--after", "k2", "--limit", "1", "--quiet")
        self.expect(0, "file:f", "ls", out=b"k3\n")

    def test_a_copy_that_fails_says_where_it_goes_on(self):
        self.fill()
        self.expect(4, "file:d", "copy", "memory:?max_bytes=1", err="nothing was done")
        self.expect(4, "file:d", "copy", "fault(at=4, operations=put, file:e)",
                    err="go on with --after 'k2'")
        self.expect(0, "file:d", "copy", "file:e", "--after", "k2", "--quiet")
        self.expect(0, "file:e", "ls", out=b"k0\nk1\nk2\nk3\nk4\n")

    def test_bench_leaves_nothing(self):
        lines = self.expect(0, "file:d", "bench", "--count", "20", "--size", "10", "--json",
                            ).stdout.splitlines()
        shown = [json.loads(line) for line in lines]
        self.assertEqual([each["operation"] for each in shown], ["put", "get", "del"])
        self.assertEqual([each["count"] for each in shown], [20, 20, 20])
        self.expect(4, "fault(at=10, operations=get, file:d)", "bench", "--count", "20",
                    err="injected")
        self.expect(0, "file:d", "ls", out=b"")


class StoreTest(command.CommandTest):
    def test_describe_is_a_text_that_opens_the_same(self):
        text = self.expect(0, "timeout(2s, file:d)", "describe").stdout.decode().strip()
        self.assertEqual(text, f"timeout(2s, file:{os.path.realpath(self.folder)}/d?"
                               "durability=full&verify=on&max_value_size=0)")
        self.expect(0, text, "describe", "--json", out=json.dumps(
            {"text": text}, separators=(",", ":")).encode() + b"\n")

    def test_secrets_come_from_the_environment_and_are_not_printed(self):
        held = {"SECRET_FOLDER": "hunter2"}
        text = self.expect(0, "file:${SECRET_FOLDER}", "describe", env=held).stdout
        self.assertIn(b"file:${SECRET_FOLDER}?", text)
        self.expect(2, "file:${SECRET_FOLDER}", "describe",
                    err="column 6: ${SECRET_FOLDER} is not set")

    def test_timeouts(self):
        slow = "fault(delay=1h, operations=get+put+del+scan, file:d)"
        self.expect(3, slow, "get", "k", "--timeout", "20ms", err="time")
        self.expect(3, slow, "put", "k", "--timeout=20ms", stdin=b"v")
        self.expect(3, slow, "ls", "--timeout", "20ms")
        self.expect(3, f"timeout(20ms, {slow})", "get", "k", err="limit of 20 ms")

    def test_exit_codes_tell_classes_apart(self):
        for status, code in (("io", 4), ("timeout", 3), ("busy", 3), ("denied", 6),
                             ("no_space", 4), ("corrupt", 7), ("too_large", 2),
                             ("unsupported", 2), ("internal", 4), ("not_found", 1)):
            self.expect(code, f"fault(at=1, status={status}, file:d)", "get", "k")

    def test_bad_texts(self):
        for text, said in (
                ("lur(1GB, memory:)", "did you mean 'lru'?"),
                ("lru(1GB)", "has no store"),
                ("file:/a > file:/a", "column 16"),
                ("lru(0, memory:)", "column 1: lru"),
                ("timeout(2, memory:)", "not a duration with a unit"),
                ("file:/" + "a" * (65 << 10), "65536"),
                ("(" * 33 + "memory:" + ")" * 33, "32 levels")):
            self.expect(2, text, "get", "k", err=said)
        self.expect(2, "file:d", "copy", "lur(1GB, memory:)", err="did you mean 'lru'?")

    def test_bad_command_lines(self):
        for words, said in (
                ([], "no store and no command"),
                (["memory:"], "no command behind the store"),
                (["get", "k"], "the store comes first: chainstore STORE get"),
                (["memory:", "gett", "k"], "unknown command 'gett'"),
                (["memory:", "get"], "it is: chainstore STORE get KEY"),
                (["memory:", "get", "k", "l"], "it is: chainstore STORE get KEY"),
                (["memory:", "get", "k", "--nosuch"], "unknown option '--nosuch'"),
                (["memory:", "get", "k", "--ttl", "1s"], "get has no --ttl"),
                (["memory:", "get", "k", "--timeout"], "--timeout needs TIME"),
                (["memory:", "get", "k", "--timeout", "5"], "is not a time"),
                (["memory:", "get", "k", "--timeout", "99999999999999999h"], "is not a time"),
                (["memory:", "get", "k", "--json=x"], "--json takes no value"),
                (["memory:", "ls", "--limit", "-1"], "is not a number"),
                (["memory:", "put", "k", "file", "--value", "x"], "one too many"),
                (["", "get", "k"], "the store is empty")):
            self.expect(2, *words, err=said)
        self.expect(2, "memory:", "get", "", err="the key is empty")
        self.expect(2, "memory:", "get", "k" * 1025, err="the key is too long")
        self.expect(4, "memory:", "put", "k", "nosuch", err="cannot read 'nosuch'")
        self.expect(0, "file:d", "put", "--value=--json", "--", "--key")
        self.expect(0, "file:d", "get", "--", "--key", out=b"--json")


class OutputTest(command.CommandTest):
    COMMANDS = (["get", "k0"], ["ls"], ["stat", "k0"], ["describe"], ["bench", "--count", "2"],
                ["copy", "memory:", "--json"])

    def setUp(self):
        super().setUp()
        for index in range(3):
            self.expect(0, "file:d", "put", f"k{index}", "--value", "v")

    def test_a_full_disk_is_told(self):
        for words in self.COMMANDS:
            with open("/dev/full", "wb") as full:
                self.expect(4, "file:d", *words, stdout=full, stderr=subprocess.PIPE,
                            err="cannot write the standard output: No space left on device")
        with open("/dev/full", "wb") as full:
            self.expect(4, "help", stdout=full, stderr=subprocess.PIPE)
            self.expect(4, "version", stdout=full, stderr=subprocess.PIPE)
        self.expect(4, "file:d", "get", "k0", "--output", "nosuch/out", err="cannot make a file")
        self.assertEqual(os.listdir(self.folder), ["d"])

    def test_a_closed_pipe_ends_it_without_a_word(self):
        for words in (*self.COMMANDS, ["get", "large"]):
            if words[-1] == "large":
                self.expect(0, "file:d", "put", "large", stdin=b"x" * (1 << 20))
            reader, writer = os.pipe()
            os.close(reader)
            with os.fdopen(writer, "wb") as pipe:
                done = self.expect(141, "file:d", *words, stdout=pipe, stderr=subprocess.PIPE)
            if words[0] != "copy":
                self.assertEqual(done.stderr, b"", words)

    def test_no_progress_bar_in_a_pipe(self):
        done = self.expect(0, "file:d", "bench", "--count", "2000")
        self.assertEqual(done.stderr, b"")

    def test_a_progress_bar_on_a_terminal(self):
        parent, child = os.openpty()
        with os.fdopen(child, "wb") as terminal:
            subprocess.run([command.COMMAND, "fault(delay=5ms, memory:)", "bench", "--count", "40"],
                           check=True, stdout=subprocess.DEVNULL, stderr=terminal, timeout=60)
        os.set_blocking(parent, False)
        shown = os.read(parent, 65536)
        os.close(parent)
        self.assertIn(b"\rput [", shown)
        self.assertTrue(shown.endswith(b"\x1b[K"), shown)


if __name__ == "__main__":
    command.main()
