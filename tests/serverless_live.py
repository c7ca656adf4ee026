"""`main.py live` on a machine without a sound server; its arguments are those of the command."""

import sys

from main import main
from realtime.device_watcher import DeviceWatcher
from realtime.virtual_cable import GUIDES

GUIDES[sys.platform] = GUIDES["darwin"]  # so there are virtual cables at most
sys.modules["realtime.pulse"] = None  # type: ignore[assignment]  # also in the engine's processes
DeviceWatcher.is_told = False

if __name__ == "__main__":
    sys.exit(main(["live", *sys.argv[1:]]))
