#!/usr/bin/env python3
"""The chain through Dask: dask_echo.py JOBS. A scheduler and two worker processes of one thread. Prints one JSON object."""
import json
import sys
import time

from distributed import Client, LocalCluster


def echo(payload):
    return payload


def main():
    jobs = int(sys.argv[1])
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster, Client(cluster) as client:
        payloads = [f"{job:064d}" for job in range(jobs)]
        client.gather(client.map(echo, payloads[:10], pure=False))  # the workers are there
        start = time.monotonic()
        answers = client.gather(client.map(echo, payloads, pure=False))
        seconds = time.monotonic() - start
    assert answers == payloads
    print(json.dumps({"rate": jobs / seconds}))


if __name__ == "__main__":
    main()
