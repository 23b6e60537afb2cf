"""What the operator's page costs the tracker: python bench/operator_page.py [--rounds 20]

One node over DDS as in bench/node.py, one pair after the other, and beside it a process that looks
at the page: nobody, one browser, one and seven that never answer, eight. These take turns every
few seconds, so that what else the machine does falls on all of them. Printed is the round trip at
the camera, from before the first image is published to the box received: the median of each turn,
less that of the nobody's turns before and after it, and the mean of these differences with its
standard error. The browsers are a process of their own on the same machine and take their share of
it.
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
# What looks: browsers that show what comes, and ones that never answer.
CASES = {"one browser": (1, 0), "one, and seven that never answer": (1, 7), "eight": (8, 0)}


async def look() -> None:
    """Browsers as far as the node can tell: as many as the newest line of stdin asks for."""
    import aiohttp

    async def show(opened: aiohttp.ClientWebSocketResponse, answers: bool) -> None:
        async for received in opened:
            if not isinstance(received.data, bytes):
                return
            length = int.from_bytes(received.data[:4], "big")
            header = json.loads(received.data[4 : 4 + length])
            if answers:
                await opened.send_json({"shown": header["message"]})

    async def open_one(session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        address = f"http://127.0.0.1:{PORT}"
        return await session.ws_connect(f"{address}/live", origin=address, protocols=("ainet",))

    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        quick, silent = map(int, line.split())
        async with aiohttp.ClientSession() as session:
            opened = [await open_one(session) for _ in range(quick + silent)]
            talks = [
                asyncio.create_task(show(each, number < quick))
                for number, each in enumerate(opened)
            ]
            print("looking", flush=True)
            await loop.run_in_executor(None, sys.stdin.readline)
            for each in opened:
                await each.close()
            await asyncio.gather(*talks)
        print("gone", flush=True)


class Looker:
    """The process that looks."""

    def __init__(self) -> None:
        command = [sys.executable, __file__, "--look"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._child = subprocess.Popen(command, text=True, **pipes)

    def look(self, quick: int, silent: int) -> None:
        self._say(f"{quick} {silent}", "looking")

    def leave(self) -> None:
        self._say("", "gone")

    def close(self) -> None:
        self._child.kill()
        self._child.wait(20)

    def _say(self, line: str, answer: str) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()
        assert self._child.stdout.readline().strip() == answer


def turn(camera: node.Camera, pairs: int) -> float:
    """Median round trip of so many pairs, ms."""
    times = []
    for _ in range(pairs):
        began = time.perf_counter()
        camera._pair()
        times.append((time.perf_counter() - began) * 1e3)
    return float(np.median(times))


def measure(rounds: int, pairs: int, threads: int) -> dict[str, list[float]]:
    """Case -> what it added to each of its turns, ms; "nobody" -> the turns themselves."""
    box = ",".join(map(str, node.BOX))
    command = [sys.executable, "-m", "ainet_ros.tracker_node", "--ros-args"]
    for text in ("preset:=nano", "device:=cpu", f"threads:={threads}", f"initial_box:='{box}'",
                 "operator_page:=true", f"operator_page_port:={PORT}"):  # fmt: skip
        command += ["-p", text]
    tracker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    looker = Looker()
    try:
        camera = node.Camera(*node.SIZES[SIZE])
        camera.play(20, with_debug=False)
        found: dict[str, list[float]] = {name: [] for name in ("nobody", *CASES)}
        before = turn(camera, pairs)
        for number in range(rounds):
            for name, looking in CASES.items():
                looker.look(*looking)
                watched = turn(camera, pairs)
                looker.leave()
                after = turn(camera, pairs)
                found["nobody"].append(after)
                found[name].append(watched - (before + after) / 2)
                before = after
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        camera.node.destroy_node()
        return found
    finally:
        looker.close()
        tracker.terminate()
        tracker.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=30, help="in each turn")
    parser.add_argument("--threads", type=int, default=1, help="of the network")
    parser.add_argument("--look", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.look:
        asyncio.run(look())
        return
    import rclpy

    private_dds.enter()
    rclpy.init()
    found = measure(options.rounds, options.pairs, options.threads)
    rclpy.try_shutdown()
    nobody = found.pop("nobody")
    print(f"| who looks | added to {np.median(nobody):.1f} ms |\n|---|---|")
    for name, added in found.items():
        error = np.std(added, ddof=1) / np.sqrt(len(added))
        print(f"| {name} | {np.mean(added):+.1f} ± {error:.1f} ms |")


if __name__ == "__main__":
    main()
