"""`unmask` in a process that ends when the one that started it does, however that ends.

`python -m unmask.core.attended PARENT COMMAND ...`, where PARENT is the number of
the process that starts it. A parent that is killed can end nobody, so its child looks for it.
"""

import os
import runpy
import sys
import threading
import time

INTERVAL_S = 0.5
"""Between two looks."""


def end_with(parent: int) -> None:
    """End this process at once when its parent is another; files are whole at any moment."""
    while os.getppid() == parent:
        time.sleep(INTERVAL_S)
    os._exit(1)


def main() -> None:
    """Run the command in the foreground and look for the parent beside it."""
    parent, *words = sys.argv[1:]
    threading.Thread(target=end_with, args=(int(parent),), daemon=True).start()
    sys.argv = ["unmask", *words]
    runpy.run_module("unmask", run_name="__main__")


if __name__ == "__main__":
    main()
