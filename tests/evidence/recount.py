#!/usr/bin/env python3
"""Counts a report again from what the audits say, without the program that made it.

usage: recount.py report.json report.html report.md report.csv AUDIT.json...

Every figure that the report shows has to be what comes out here. Standard library only; says what differs, and ends with 1.
"""
import collections
import csv
import html.parser
import json
import re
import sys

ANSWERS = {
    "evidence-against": "evidence against",
    "partly": "partly",
    "evidence-for": "evidence for",
    "not-assessed": "not assessed",
    "not-observable": "not observable from a host",
}
wrong = []


def same(what, shown, counted):
    if shown != counted:
        wrong.append(f"{what}: the report says {shown}, counted are {counted}")


def stance(finding, day):
    status = finding["status"]
    if status == "waived":
        return "accepted" if finding["waiver"]["expires"] >= day else "against"
    return {"fail": "against", "known": "against", "unknown": "unknown", "pass": "for"}.get(status, "not-applicable")


def answer(task, counts, missing, attested):
    against, accepted, unknown, good = (counts.get(it, 0) for it in ("against", "accepted", "unknown", "for"))
    if against or (accepted and not good and not attested):
        return "evidence-against"
    something = good or accepted or unknown
    gaps = accepted or unknown or (missing and something)
    if attested:
        return "partly" if gaps else "evidence-for"
    if not good:
        nothing = not accepted and not unknown
        return "not-observable" if nothing and task["reach"] == "none" else "not-assessed"
    return "partly" if gaps or task["reach"] in ("partial", "indirect") else "evidence-for"


def group_of(task, groups):
    return max((it for it in groups if task.startswith(it + ".")), key=len, default="")


class Page(html.parser.HTMLParser):
    """What the page shows, as far as figures go."""

    def __init__(self):
        super().__init__()
        self.tasks, self.findings, self.bars, self.boxes = collections.Counter(), collections.Counter(), [], {}
        self.box, self.legend, self.inside = None, [], []

    def handle_starttag(self, tag, attributes):
        it = dict(attributes)
        if it.get("class") == "task":
            self.tasks[it["data-answer"]] += 1
        if it.get("class") == "finding":
            self.findings[it["data-stance"]] += 1
        if tag == "svg" and "aria-label" in it and "class" not in it:
            self.bars.append(it["aria-label"])
        if tag == "input" and it.get("type") == "checkbox":
            self.box = (it["name"], it["value"])
        if tag not in ("input", "meta"):
            self.inside.append((tag, it.get("class")))

    def handle_startendtag(self, tag, attributes):
        """Holds nothing."""

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self.box and self.inside and self.inside[-1] == ("span", "quiet"):
            self.boxes[self.box], self.box = int(data), None
        if ("ul", "legend") in self.inside:
            self.legend.append(data.strip())


def main():
    made, page_file, document_file, sheet_file, *audit_files = sys.argv[1:]
    report = json.load(open(made))
    audits = [json.load(open(name)) for name in audit_files]
    framework, day = report["framework"]["framework"], report["day"]
    keys = [framework, "ssdf-1.1"] if framework.startswith("ssdf-") else [framework]
    all_findings = [(at, it) for at, audit in enumerate(audits) for it in audit["findings"]]
    same("findings", len(report["findings"]), len(all_findings))
    ran = {check["code"] for audit in audits for check in audit["checks"]}
    holding = {
        it["attestation"]["task"]
        for it in report["attestations"]
        if it["attestation"]["date"] <= day <= it["attestation"]["expires"]
    }
    answers, by_group = collections.Counter(), collections.defaultdict(collections.Counter)
    for task in report["tasks"]:
        about = [
            it
            for _, it in all_findings
            if it["code"] in task["checks"] or any(task["task"] in it["controls"].get(key, []) for key in keys)
        ]
        counts = collections.Counter(stance(it, day) for it in about)
        same(f"findings of {task['task']}", task["counts"], dict(counts))
        missing = [code for code in task["checks"] if code not in ran]
        same(f"checks of {task['task']} that did not run", task["not_run"], missing)
        found = answer(task, counts, missing, task["task"] in holding)
        same(f"answer of {task['task']}", task["answer"], found)
        answers[found] += 1
        by_group[group_of(task["task"], [it["group"] for it in report["coverage"] if it["group"]])][found] += 1
    same("answers", report["answers"], dict(answers))
    same("coverage", {it["group"]: it["answers"] for it in report["coverage"]}, {k: dict(v) for k, v in by_group.items()})

    stances = collections.Counter(stance(it, day) for _, it in all_findings)
    severities = collections.Counter(it["severity"] for _, it in all_findings)
    page = Page()
    page.feed(open(page_file).read())
    same("tasks of the page", dict(page.tasks), dict(answers))
    same("findings of the page", dict(page.findings), dict(stances))
    for (name, value), shown in page.boxes.items():
        counted = {"answer": answers, "stance": stances, "severity": severities}[name][value]
        same(f"the filter {value}", shown, counted)
    same("filters", len(page.boxes), 15)
    legend = " ".join(page.legend)
    for name, words in ANSWERS.items():
        shown = re.search(rf"{words}\s+(\d+)", legend)
        same(f"the legend's {words}", shown and int(shown[1]), answers[name])
    same("bars", len(page.bars), len(by_group))
    for label in page.bars:
        name, _, said = label.rpartition(": ")
        counts = by_group["" if name == "all controls" else name.split(" ")[0]]
        shown = {words: int(count) for count, words in (it.split(" ", 1) for it in said.split(", "))}
        same(f"the bar {name}", shown, {ANSWERS[it]: count for it, count in counts.items()})

    lines = open(document_file).read().splitlines()
    totals = [it for it in lines if it.startswith("| **all** |")][0].strip("|").split("|")[1:]
    same("the document's totals", [int(it) for it in totals], [answers[it] for it in ANSWERS])
    same("findings of the document", sum(bool(re.match(r"- F\d+ ", it)) for it in lines), len(all_findings))
    rows = collections.Counter(row["row"] for row in csv.DictReader(open(sheet_file, newline="")))
    expected = {"task": len(report["tasks"]), "finding": len(all_findings), "attestation": len(report["attestations"])}
    same("rows of the sheet", dict(rows), {name: count for name, count in expected.items() if count})
    print("\n".join(wrong) or f"{len(report['tasks'])} tasks and {len(all_findings)} findings, counted again")
    return 1 if wrong else 0


sys.exit(main())
