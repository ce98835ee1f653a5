"""Jobs of 64 bytes there and back through the queues that Debian packages, each with two workers."""
import contextlib
import os

from cases.echo import RATE, fantail_echo, rate_of_report
from harness import ROOT, Bar, Case, Variant, answers, free_port

ACKNOWLEDGED = ("redis streams", "rabbitmq confirmed", "nats jetstream", "gearmand", "beanstalkd", "celery", "dask")
NOT_ACKNOWLEDGED = ("redis lists", "rabbitmq plain", "nats core")
PYTHON = "/usr/bin/python3"  # the one that Debian's packages are for
CELERY = os.path.join(ROOT, "bench", "programs", "celery_echo.py")
DASK = os.path.join(ROOT, "bench", "programs", "dask_echo.py")


def in_(bench, *names):
    return os.path.join(bench.scratch, *names)


def server(argv, address):
    """A server for one run; `bench.address` says where it is: a port, or the path of a socket."""
    @contextlib.contextmanager
    def around(bench):
        bench.address = address(bench)
        with bench.server(argv(bench), lambda: answers(bench.address)):
            yield
    return around


def a_port(_bench):
    return free_port()


def redis_argv(bench):
    return ["redis-server", "--port", "0", "--unixsocket", bench.address, "--save", "", "--appendonly", "no", "--dir",
            bench.scratch]


redis = server(redis_argv, lambda bench: os.path.join(bench.memory_scratch, "redis.sock"))
nats = server(lambda bench: ["nats-server", "-a", "127.0.0.1", "-p", str(bench.address), "-js", "-sd", in_(bench, "jetstream")], a_port)
beanstalkd = server(lambda bench: ["beanstalkd", "-l", "127.0.0.1", "-p", str(bench.address)], a_port)
gearmand = server(lambda bench: ["gearmand", "-L", "127.0.0.1", "-p", str(bench.address), "-l", in_(bench, "gearmand.log")], a_port)


@contextlib.contextmanager
def rabbitmq(bench):
    """With a node name, a port mapper and folders of its own."""
    bench.address, mapper, distribution = free_port(), free_port(), free_port()
    os.makedirs(in_(bench, "home"))
    with open(in_(bench, "rabbitmq.conf"), "w", encoding="utf-8") as file:
        file.write(f"listeners.tcp.1 = 127.0.0.1:{bench.address}\nloopback_users = none\n")
    with open(in_(bench, "plugins"), "w", encoding="utf-8") as file:
        file.write("[].\n")
    environment = {"HOME": in_(bench, "home"), "ERL_EPMD_PORT": str(mapper), "ERL_EPMD_ADDRESS": "127.0.0.1",
                   "RABBITMQ_NODENAME": f"bench{os.getpid()}@localhost", "RABBITMQ_DIST_PORT": str(distribution),
                   "RABBITMQ_MNESIA_BASE": in_(bench, "mnesia"), "RABBITMQ_LOG_BASE": in_(bench, "log"),
                   "RABBITMQ_CONFIG_FILE": in_(bench, "rabbitmq.conf"), "RABBITMQ_ENABLED_PLUGINS_FILE": in_(bench, "plugins"),
                   "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                   "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"}
    try:
        with bench.server(["/usr/lib/rabbitmq/bin/rabbitmq-server"], lambda: answers(bench.address), env=environment):
            yield
    finally:
        with contextlib.suppress(RuntimeError):  # it left by itself
            bench.run(["epmd", "-port", str(mapper), "-kill"], env=environment)


@contextlib.contextmanager
def celery(bench):
    with redis(bench):
        with bench.server([PYTHON, CELERY, "worker", bench.address]):
            yield


def program(name, *modes, jobs):
    full, quick = jobs
    return lambda bench: [f"bench-{name}", *modes, str(bench.address), str(bench.sized(full, quick))]


def celery_command(bench):
    return [PYTHON, CELERY, bench.address, str(bench.sized(3000, 50))]


def dask_command(bench):
    return [PYTHON, DASK, str(bench.sized(5000, 100))]


def lines(bench):
    return bench.sized(2000, 50)


def write_lines(bench):
    with open(os.path.join(bench.data, "lines-64"), "w", encoding="utf-8") as file:
        file.writelines(f"{line:064d}\n" for line in range(lines(bench)))


def starter(*argv):
    return lambda bench: [*argv, os.path.join(bench.data, "lines-64"), "/bin/echo"]


def rate_of_starter(bench, argv):
    """A process per line: as many lines come back."""
    seconds, printed = bench.timed(argv)
    if printed.count(b"\n") != lines(bench):
        raise RuntimeError(f"{bench.shown(argv)}: {printed.count(10)} lines came back")
    return {"rate": lines(bench) / seconds}


CASES = [
    Case(
        name="peers",
        what="64 bytes there and back through 2 workers, against the queues that Debian packages, their state in memory where they have "
             "the choice.",
        metrics=(RATE,),
        prepare=write_lines,
        variants=(
            Variant("fantail", "fantail run echo, --keep summary: exactly-once aggregate, durable.", fantail_echo, rate_of_report),
            Variant("redis streams", "XADD, XREADGROUP, XACK, 1,000 at a time, no persistence; our own pipelining client.",
                    program("redis", "stream", jobs=(400_000, 20_000)), around=redis, packages=("redis-server",)),
            Variant("redis lists", "LPUSH, BLMPOP, 1,000 at a time, no persistence, no acknowledgement; our own pipelining client.",
                    program("redis", "list", jobs=(1_500_000, 20_000)), around=redis, packages=("redis-server",)),
            Variant("rabbitmq confirmed", "Transient messages, publisher confirms, acknowledgements, prefetch 200; librabbitmq.",
                    program("rabbitmq", "confirmed", jobs=(80_000, 2000)), around=rabbitmq,
                    packages=("rabbitmq-server", "librabbitmq-dev")),
            Variant("rabbitmq plain", "Transient messages, neither confirms nor acknowledgements; librabbitmq.",
                    program("rabbitmq", "plain", jobs=(150_000, 2000)), around=rabbitmq,
                    packages=("rabbitmq-server", "librabbitmq-dev")),
            Variant("nats jetstream", "Streams in memory, publish and job acknowledgements, pulled 256 at a time; our own client.",
                    program("nats", "jetstream", jobs=(80_000, 2000)), around=nats, packages=("nats-server",)),
            Variant("nats core", "A queue group, at most once; our own client.",
                    program("nats", "core", jobs=(1_500_000, 20_000)), around=nats, packages=("nats-server",)),
            Variant("gearmand", "Foreground jobs, 1,000 in flight, in memory; our own pipelining client.",
                    program("gearman", jobs=(50_000, 2000)), around=gearmand, packages=("gearman-job-server",)),
            Variant("beanstalkd", "Without a binlog, puts 100 at a time, 16 reserves at a time; our own pipelining client.",
                    program("beanstalk", jobs=(50_000, 2000)), around=beanstalkd, packages=("beanstalkd",)),
            Variant("celery", "Redis as broker and for results, two prefork processes, late acknowledgement.", celery_command,
                    around=celery, packages=("python3-celery", "python3-redis", "redis-server")),
            Variant("dask", "A scheduler and two worker processes; tasks gathered by the client.", dask_command,
                    packages=("python3-distributed",)),
            Variant("parallel", "GNU parallel, two at a time, one process per job.", starter("parallel", "-j2", "-a"), rate_of_starter,
                    packages=("parallel",)),
            Variant("xargs", "xargs, two at a time, one process per job.", starter("xargs", "-P2", "-n1", "-a"), rate_of_starter),
        ),
        bars=(
            Bar(least=20, of=ACKNOWLEDGED),
            Bar(least=5, of=NOT_ACKNOWLEDGED),
        ),
    ),
]
