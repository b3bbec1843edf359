#!/usr/bin/env python3
"""A signal ends what is under way, closes the store, and each command says what is left.

usage: interrupt_test.py COMMAND SOURCE_DIR [TEST...]
"""
import os
import select
import signal
import subprocess

import command


class InterruptTest(command.CommandTest):
    def start(self, *words, **more):
        return subprocess.Popen([command.COMMAND, *words], cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def when_asleep(self, process):
        """Waits until every thread of the process but the reader of signals stands still."""
        while process.poll() is None:
            calls = []
            for thread in os.listdir(f"/proc/{process.pid}/task"):
                with open(f"/proc/{process.pid}/task/{thread}/stat", encoding="ascii") as file:
                    calls.append(file.read().rpartition(")")[2].split()[0])
            # The thread that waits for signals is the second one: before it there are no others.
            if len(calls) > 1 and all(call == "S" for call in calls):
                return
            select.select([], [], [], 0.005)

    def interrupt(self, process, number=signal.SIGINT):
        self.when_asleep(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 128 + number, err)
        return out.decode(), err.decode()

    SLOW = "fault(delay=1h, operations={}, file:d)"

    def test_a_put_that_waits_for_its_input(self):
        process = self.start("file:d", "put", "k", stdin=subprocess.PIPE)
        process.stdin.write(b"a part")
        process.stdin.flush()
        self.when_asleep(process)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 128 + signal.SIGTERM)
        self.assertIn("nothing was put", process.stderr.read().decode())
        process.communicate()
        self.expect(1, "file:d", "get", "k")

    def test_put_get_stat(self):
        _, said = self.interrupt(self.start(self.SLOW.format("put"), "put", "k", "--value", "v"))
        self.assertIn("may or may not have happened", said)
        for name in ("get", "stat"):
            out, _ = self.interrupt(self.start(self.SLOW.format("get"), name, "k"))
            self.assertEqual(out, "")

    def test_del_says_which_keys_are_left(self):
        slow = "fault(delay=1h, delay_rate=100, operations=del, file:d)"
        _, said = self.interrupt(self.start(slow, "del", "a", "b", "c"))
        self.assertIn("3 of 3 keys are left, from 'a' on", said)

    def test_ls(self):
        _, said = self.interrupt(self.start(self.SLOW.format("scan"), "ls"))
        self.assertIn("interrupted; nothing was done", said)

    def test_copy_says_where_it_goes_on_and_does(self):
        for index in range(300):
            with open(self.path("v"), "wb") as file:
                file.write(b"x" * index)
        self.fill(300)
        # The page of the scan is read, the puts take their time: some of them are done.
        process = self.start("file:d", "copy", "fault(delay=20ms, operations=put, file:e)")
        while not (os.path.isdir(self.path("e")) and
                   any(name.startswith("k") for name in os.listdir(self.path("e")))):
            select.select([], [], [], 0.005)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 128 + signal.SIGINT, err)
        said = err.decode()
        self.assertIn("interrupted; go on with --after '", said)
        after = said.partition("--after '")[2].partition("'")[0]
        self.expect(0, "file:d", "copy", "file:e", "--after", after, "--quiet")
        self.assertEqual(self.expect(0, "file:e", "ls").stdout,
                         self.expect(0, "file:d", "ls").stdout)

    def fill(self, count):
        # The store's files are its values: quicker than a process each.
        self.expect(0, "file:d", "put", "k000", "--value", "v")
        for index in range(count):
            with open(self.path(f"d/k{index:03}"), "wb") as file:
                file.write(b"value")

    def test_bench_removes_its_keys(self):
        process = self.start("fault(delay=5ms, operations=put, file:d)", "bench")
        while not os.path.isdir(self.path("d/chainstore-bench")):
            select.select([], [], [], 0.005)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 128 + signal.SIGINT, err)
        self.assertIn(b"the keys of the measurement were removed", err)
        self.expect(0, "file:d", "ls", out=b"")

    def test_a_close_that_cannot_deliver(self):
        # The remote store takes an hour; what waits for it is said to be lost.
        chain = "memory: > " + self.SLOW.format("put")
        _, said = self.interrupt(self.start(chain, "put", "k", "--value", "v"))
        self.assertIn("may not have reached the last store", said)

    def test_the_second_signal_ends_it_at_once(self):
        process = self.start("memory: > " + self.SLOW.format("put"), "put", "k", "--value", "v")
        self.when_asleep(process)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertIn(process.returncode, (130, 143))


if __name__ == "__main__":
    command.main()
