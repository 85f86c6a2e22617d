"""`python app.py` with another number of threads in each web process: only to compare, settings have no such switch.

    python -m benchmarks.serve THREADS
"""

import subprocess
import sys

import app


def main(arguments):
    app.WEB_THREADS = int(arguments[0])
    app._start_child = lambda server: subprocess.Popen(
        [sys.executable, "-m", "benchmarks.serve", arguments[0], "child", str(server.fileno())],
        pass_fds=[server.fileno()],
        stdin=subprocess.PIPE,
    )
    return app.main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
