#!/usr/bin/env python3
"""The chain through Celery with Redis: celery_echo.py SOCKET JOBS. The worker is started by bench/run.

Late acknowledgement: a task that its worker dies of is given to another. Prints one JSON object.
"""
import json
import sys
import time

from celery import Celery, group


def make_app(socket):
    app = Celery("celery_echo", broker=f"redis+socket://{socket}", backend=f"redis+socket://{socket}")
    app.conf.update(task_acks_late=True, worker_prefetch_multiplier=64, task_ignore_result=False)

    @app.task(name="echo")
    def echo(payload):
        return payload

    return app, echo


def main():
    socket, jobs = sys.argv[1], int(sys.argv[2])
    app, echo = make_app(socket)
    payload = "x" * 64
    with app.connection_or_acquire():
        echo.delay(payload).get(timeout=60)  # the worker is there
        start = time.monotonic()
        answers = group(echo.s(payload) for _ in range(jobs))().get(timeout=300)
        seconds = time.monotonic() - start
    assert answers == [payload] * jobs
    print(json.dumps({"rate": jobs / seconds}))


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        make_app(sys.argv[2])[0].worker_main(["worker", "--concurrency=2", "--pool=prefork", "--loglevel=ERROR", "--without-gossip",
                                              "--without-mingle", "--without-heartbeat"])
    else:
        main()
