"""Files of two sizes: beside a program that does nothing else, and beside the tools that one would use instead."""
import os

from harness import Bar, Case, Metric, Variant

RATE = Metric("rate", "files/s")
BANDWIDTH = Metric("bandwidth", "GB/s")
MEBIBYTE = 1 << 20
SMALL, QUICK_SMALL, PER_FOLDER = 200_000, 2_000, 1_000
LARGE, QUICK_LARGE = 512 * MEBIBYTE, 16 * MEBIBYTE
ONE, QUICK_ONE = 4 * LARGE, 4 * QUICK_LARGE


# ---- the data: lines of words, so that wc works as it does on text

def text(bench, size=8 * MEBIBYTE):
    random = bench.random()
    words = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randint(1, 12))) for _ in range(5000)]
    pieces, length = [], 0
    while length < size:
        pieces.append(random.choice(words) + (" " if random.random() < 0.9 else "\n"))
        length += len(pieces[-1])
    return "".join(pieces).encode()[:size]


def folder_of(bench, name, size):
    return os.path.join(bench.data, f"files-{name}-{size}")


def complete(folder):
    return os.path.exists(folder + ".complete")


def completed(folder):
    """What was written is on storage before anything is measured."""
    os.sync()
    with open(folder + ".complete", "wb"):
        pass


def small_folder(bench):
    return folder_of(bench, "small", bench.sized(SMALL, QUICK_SMALL))


def write_small(bench):
    folder = small_folder(bench)
    if complete(folder):
        return
    content, random = text(bench), bench.random()
    for number in range(bench.sized(SMALL, QUICK_SMALL)):
        inner = os.path.join(folder, f"{number // PER_FOLDER:03}")
        os.makedirs(inner, exist_ok=True)
        size = random.randint(1 << 10, 8 << 10)
        start = random.randrange(len(content) - size)
        with open(os.path.join(inner, f"{number % PER_FOLDER:03}.txt"), "wb") as file:
            file.write(content[start:start + size])
    completed(folder)


def write_folder(bench, folder, size, count):
    if complete(folder):
        return
    content = text(bench)
    os.makedirs(folder, exist_ok=True)
    for number in range(count):
        with open(os.path.join(folder, f"{number}.txt"), "wb") as file:
            for _ in range(size // len(content)):
                file.write(content)
    completed(folder)


def large_folder(bench):
    return folder_of(bench, "large", bench.sized(LARGE, QUICK_LARGE))


def write_large(bench):
    write_folder(bench, large_folder(bench), bench.sized(LARGE, QUICK_LARGE), 4)


def one_folder(bench):
    return folder_of(bench, "one", bench.sized(ONE, QUICK_ONE))


def write_one(bench):
    write_folder(bench, one_folder(bench), bench.sized(ONE, QUICK_ONE), 1)


# ---- the variants

def fantail(folder, hash_name="xxh3"):
    return lambda bench: bench.fantail(["files", "--hash", hash_name, folder(bench)])


def figures_of_report(bench, argv):
    report = bench.report(argv)
    return {"rate": report["aggregate"]["files"] / report["wall_s"],
            "bandwidth": report["aggregate"]["bytes"] / report["wall_s"] / 1e9}


def file_scan(folder, hash_name="xxh3"):
    return lambda bench: ["bench-file-scan", folder(bench), hash_name, "2"]


def shell(script, folder):
    """What prints nothing and is timed from start to end. In the C locale, whose words are those that fantail counts."""
    return lambda bench: ["env", "LC_ALL=C", "sh", "-c", script, "sh", folder(bench)]


def wc_then_xxhsum(bench):
    found = 'find "$1" -type f -print0 | xargs -0 -P2'
    return shell(f"{found} wc && {found} xxhsum -q -H2", small_folder)(bench)


def rate_of_shell(bench, argv):
    return {"rate": bench.sized(SMALL, QUICK_SMALL) / bench.seconds(argv)}


def wc_beside_xxhsum(bench):
    return shell('wc "$1"/* & xxhsum -q -H2 "$1"/*; wait', one_folder)(bench)


def bandwidth_of_shell(bench, argv):
    return {"bandwidth": bench.sized(ONE, QUICK_ONE) / bench.seconds(argv) / 1e9}


FILE_SCAN = "A program of 120 lines with 2 threads: the same counting and hashing, {}."



def large(name, hash_name):
    return Case(
        name=name,
        what=f"4 files of 512 MiB: size, {hash_name}, words and lines.",
        metrics=(BANDWIDTH,),
        prepare=write_large,
        variants=(
            Variant("fantail", f"fantail run files --hash {hash_name}, 2 workers; bytes / wall_s.", fantail(large_folder, hash_name),
                    figures_of_report),
            Variant("file scan", FILE_SCAN.format("over mapped memory"), file_scan(large_folder, hash_name)),
        ),
        bars=(Bar(least=0.8, of=("file scan",)),),
    )


CASES = [
    Case(
        name="files-small",
        what="200,000 files of 1 to 8 KiB: size, xxh3, words and lines.",
        metrics=(RATE,),
        prepare=write_small,
        variants=(
            Variant("fantail", "fantail run files, 2 workers, --keep summary; files / wall_s.", fantail(small_folder), figures_of_report),
            Variant("file scan", FILE_SCAN.format("open, fstat, read, close"), file_scan(small_folder)),
            Variant("wc, xxhsum", "find and xargs -P2, as many files a process as fit: first wc of all, then xxhsum -H2.",
                    wc_then_xxhsum, rate_of_shell, packages=("xxhash",)),
        ),
        bars=(
            Bar(least=0.6, of=("file scan",)),
            Bar(least=4, of=("wc, xxhsum",)),
        ),
    ),
    large("files-large", "xxh3"),
    large("files-large-sha256", "sha256"),
    Case(
        name="files-one",
        what="One file of 2 GiB: size, xxh3, words and lines.",
        metrics=(BANDWIDTH,),
        prepare=write_one,
        variants=(
            Variant("fantail", "fantail run files, 2 workers; bytes / wall_s.", fantail(one_folder), figures_of_report),
            Variant("file scan", FILE_SCAN.format("over mapped memory; one thread has the file"), file_scan(one_folder)),
            Variant("wc, xxhsum", "wc and xxhsum -H2 side by side.", wc_beside_xxhsum, bandwidth_of_shell, packages=("xxhash",)),
        ),
        bars=(Bar(least=1, of=("wc, xxhsum",)),),
    ),
]
