"""The peer's side of a contest: a request per line on stdin, an answer per line on stdout."""
import json
import re
import sys
import time

import torch

import dit
import iresnet
import product
import weights


def peak_memory():
    with open("/proc/self/status") as f:
        return 1024 * int(re.search(r"^VmHWM:\s+(\d+) kB", f.read(), re.M).group(1))


run = None
for line in sys.stdin:
    asked = json.loads(line)
    if "task" in asked:
        task = asked["task"]
        torch.set_num_threads(asked["threads"])
        tensors = [weights.load(f"{task['folder']}/{name}.safetensors") for name in ("weights", "inputs")]
        run, check = {"reward": iresnet, "product": product}.get(task["kind"], dit).work(task, *tensors)
        answer = {"check": check()}
    else:
        started = time.perf_counter()
        run()
        answer = {"ms": 1000 * (time.perf_counter() - started), "peak": peak_memory()}
    print(json.dumps(answer), flush=True)
