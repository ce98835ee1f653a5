"""Medians, ratios, bars, and the tables that show them."""
import os
import statistics


def figures_of(result, variant, metric):
    return [run[metric] for run in result["variants"][variant]["figures"] if metric in run]


def median_of(result, variant, metric):
    figures = figures_of(result, variant, metric)
    return statistics.median(figures) if figures else None


def judge(case, result):
    """Each bar with what was measured; `met` is None where there was nothing to compare with."""
    if result["skipped"]:
        return []
    judged = []
    for bar in case.bars:
        metric = next(each for each in case.metrics if each.name == (bar.metric or case.metrics[0].name))
        subject = bar.subject or case.variants[0].name
        measured = median_of(result, subject, metric.name)
        reference = None
        if bar.of:
            medians = {name: median_of(result, name, metric.name) for name in bar.of}
            medians = {name: median for name, median in medians.items() if median is not None}
            if medians:
                reference = (max if metric.more_is_better else min)(medians, key=medians.get)
                measured = measured and measured / medians[reference]
            else:
                measured = None
        met = measured is not None and (bar.least is None or measured >= bar.least) and (bar.most is None or measured <= bar.most)
        judged.append({"metric": metric.name, "unit": metric.unit, "subject": subject, "of": reference or " or ".join(bar.of),
                       "least": bar.least, "most": bar.most, "goal": bar.goal, "measured": measured,
                       "met": None if measured is None else met})
    return judged


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def bar_sentence(bar):
    bound = f"at least {bar['least']:g}" if bar["most"] is None else f"at most {bar['most']:g}"
    wanted = f"{bar['subject']}, {bar['metric']}: {bound} " + (f"x {bar['of']}" if bar["of"] else bar["unit"])
    if bar["met"] is None:
        return f"{wanted}: not measured"
    verdict = ("goal " if bar["goal"] else "") + ("met" if bar["met"] else "missed")
    return f"{wanted}: {bar['measured']:.3g}, {verdict}"


def rows(case, result):
    """Metric by metric the variants that have it: (metric, name, median, min, max, ratio of the first's median to this one's)."""
    for metric in case.metrics:
        first = median_of(result, case.variants[0].name, metric.name)
        for variant in case.variants:
            figures = figures_of(result, variant.name, metric.name)
            if figures:
                median = statistics.median(figures)
                ratio = f"{first / median:.3g}" if first is not None and median and variant is not case.variants[0] else ""
                yield (f"{metric.name} [{metric.unit}]", variant.name, number(median), number(min(figures)), number(max(figures)), ratio)


def remarks(result):
    for name, variant in result["variants"].items():
        for why in ("skipped", "failed"):
            if variant[why]:
                yield f"{name}: {why}: {variant[why]}"


HEADER = ("metric", "variant", "median", "min", "max", "ratio")


def text(case, result):
    lines = [f"\n{case.name}: {case.what}"]
    if result["skipped"]:
        return "\n".join(lines + [f"  skipped: {result['skipped']}"])
    table = [HEADER, *rows(case, result)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADER))]
    for row in table:
        cells = [cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  " + "  ".join(cells).rstrip())
    lines += [f"  {remark}" for remark in remarks(result)]
    lines += [f"  bar: {bar_sentence(bar)}" for bar in result["bars"]]
    return "\n".join(lines)


def machine_line(document):
    machine = document["machine"]
    line = (f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}, "
            f"fdatasync {machine['fdatasync_ms']} ms; fantail {document['commit']}, {document['began']}")
    if document["quick"]:
        line += "; --quick: the figures mean nothing"
    elif machine["load"] > 0.5:
        line += f"; the machine was not idle: load {machine['load']:.1f}"
    return line


def markdown(cases, document):
    lines = [machine_line(document) + ".", ""]
    for case, result in zip(cases, document["cases"]):
        lines += [f"### {case.name}", "", case.what, ""]
        if result["skipped"]:
            lines += [f"Skipped: {result['skipped']}", ""]
            continue
        lines += ["| " + " | ".join(HEADER) + " |", "|---|---|---:|---:|---:|---:|"]
        lines += ["| " + " | ".join(row) + " |" for row in rows(case, result)]
        lines += ["", *(f"- {bar_sentence(bar)}." for bar in result["bars"]), *(f"- {remark}" for remark in remarks(result)), ""]
        lines += ["| variant | what it does | command |", "|---|---|---|"]
        for name, variant in result["variants"].items():
            command = f"`{variant['command']}`" if variant["command"] else ""
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in (name, variant["does"], command)) + " |")
        lines.append("")
    return "\n".join(lines)


MARK = "<!-- What follows was written by bench/run --markdown. -->\n"


def write_markdown(name, cases, document):
    """What stands above the mark stays."""
    kept = ""
    if os.path.exists(name):
        with open(name, encoding="utf-8") as file:
            kept = file.read().partition(MARK)[0]
    with open(name, "w", encoding="utf-8") as file:
        file.write(f"{kept}{MARK}\n{markdown(cases, document)}")
