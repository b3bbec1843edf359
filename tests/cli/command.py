"""Runs the command in a folder of the test's own."""
import os
import subprocess
import sys
import tempfile
import unittest

COMMAND = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(sys.argv[2])


class CommandTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_command(self, *words, stdin=b"", env=None, **more):
        return subprocess.run([COMMAND, *words], input=stdin, cwd=self.folder, timeout=60,
                              capture_output="stdout" not in more,
                              env={**os.environ, **(env or {})}, check=False, **more)

    def expect(self, code, *words, out=None, err=None, **more):
        """Runs it; the code must be that, `out` the whole output, `err` a part of what it says."""
        done = self.run_command(*words, **more)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        if out is not None:
            self.assertEqual(done.stdout, out, words)
        if err is not None:
            self.assertIn(err, done.stderr.decode(), words)
        elif code == 0 and done.stderr is not None:
            self.assertEqual(done.stderr, b"", words)
        return done


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
