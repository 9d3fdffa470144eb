"""Servers over HTTP for the contract tests, and the clock and the words of a check."""

import os
import re
import subprocess
import threading
import time
from pathlib import Path


class Serving:
    """A figma-mcp that listens; `url` is its address without a path."""

    def __init__(self, binary, *flags):
        command = [str(binary), "serve", "--sandbox", "--http", "127.0.0.1:0", *flags]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        said = ""
        for line in self.process.stderr:
            said += line
            if found := re.search(r"listening at (https?://[^/\s]+)", line):
                self.url = found[1]
                break
        else:
            raise SystemExit(f"the server does not listen: {said}")
        # A full pipe would hold the server up.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def stop(self):
        """Tells it to stop and returns its exit code, which is 0 within 5 seconds if all is well."""
        self.process.terminate()
        return self.process.wait(timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def no_settings():
    """What whoever runs this has set is no part of it."""
    for name in [name for name in os.environ if name.startswith("FIGMA")]:
        del os.environ[name]


def scratch_home(packages):
    """As `no_settings`, and with a home of its own: some clients keep things there."""
    no_settings()
    home = Path(packages) / "home"
    home.mkdir(parents=True, exist_ok=True)
    os.environ["HOME"] = str(home)


def run_all(checks):
    """Runs (name, what to run) and prints `ok NAME` or `FAILED NAME: why` for each; the exit code."""
    failed = 0
    for name, test in checks:
        start = time.monotonic()
        try:
            test()
        except Exception as error:  # whatever one does, the others are to run
            failed += 1
            print(f"FAILED {name}: {error!r}"[:1500], flush=True)
        else:
            print(f"ok {name} ({time.monotonic() - start:.1f} s)", flush=True)
    return 1 if failed else 0
