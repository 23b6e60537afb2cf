"""What the operator's page costs the tracker: python bench/operator_page.py [--frames 100]

The node over DDS as in bench/node.py, one pair after the other, and beside it a process that looks
at the page: nobody, one browser, one and seven that never answer, eight. "node" is the node's own
time from the second image of a pair to the box that left. All cases are run in turn, several
times, so that what the machine does meanwhile falls on all of them; medians over the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time

import node
import numpy as np
import private_dds

SIZE = "640x512"
PORT = 18075
# What looks: browsers that show what comes, and ones that never answer; None: the page is off.
CASES = {
    "page off": None,
    "nobody looks": (0, 0),
    "one browser": (1, 0),
    "one browser, seven that never answer": (1, 7),
    "eight browsers": (8, 0),
}


async def look(quick: int, silent: int) -> None:
    """Browsers as far as the node can tell; says `looking` when they have their first picture."""
    import aiohttp

    address = f"http://127.0.0.1:{PORT}"

    async def show(opened: aiohttp.ClientWebSocketResponse, answers: bool) -> None:
        async for received in opened:
            length = int.from_bytes(received.data[:4], "big")
            header = json.loads(received.data[4 : 4 + length])
            if answers:
                await opened.send_json({"shown": header["message"]})

    async with aiohttp.ClientSession() as session:
        opened = [
            await session.ws_connect(f"{address}/live", origin=address, protocols=("ainet",))
            for _ in range(quick + silent)
        ]
        print("looking", flush=True)
        await asyncio.gather(*(show(each, i < quick) for i, each in enumerate(opened)))


def played(looking: tuple[int, int] | None, frames: int, threads: int) -> node.Played:
    """One node, one camera (this process), and who looks."""
    box = ",".join(map(str, node.BOX))
    command = [sys.executable, "-m", "ainet_ros.tracker_node", "--ros-args"]
    for text in ("preset:=nano", "device:=cpu", f"threads:={threads}", f"initial_box:='{box}'",
                 f"operator_page:={str(looking is not None).lower()}",
                 f"operator_page_port:={PORT}"):  # fmt: skip
        command += ["-p", text]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    children = [subprocess.Popen(command, **quiet)]
    try:
        camera = node.Camera(*node.SIZES[SIZE])
        if looking is not None and sum(looking):
            camera._wait(lambda: camera.status.get("lifecycle") == "active", 120)
            asked = [sys.executable, __file__, "--look", *map(str, looking)]
            children.append(subprocess.Popen(asked, stdout=subprocess.PIPE))
            assert children[1].stdout is not None
            assert children[1].stdout.readline() == b"looking\n"
        result = camera.play(frames, with_debug=False)
        camera.node.destroy_node()
        return result
    finally:
        for child in reversed(children):
            child.terminate()
            child.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of the network")
    parser.add_argument("--look", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.look:
        asyncio.run(look(*options.look))
        return
    import rclpy

    private_dds.enter()
    rclpy.init()
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(options.rounds):
        for name, looking in CASES.items():
            times[name].append(played(looking, options.frames, options.threads).node)
            print(f"{time.strftime('%H:%M:%S')} {name}: {times[name][-1]:.1f} ms", flush=True)
    rclpy.try_shutdown()
    alone = np.median(times["page off"])
    print("| who looks | node ms | all rounds |\n|---|---|---|")
    for name, taken in times.items():
        middle = float(np.median(taken))
        rounds = ", ".join(f"{each:.1f}" for each in taken)
        print(f"| {name} | {middle:.1f} ({middle - alone:+.1f}) | {rounds} |")


if __name__ == "__main__":
    main()
