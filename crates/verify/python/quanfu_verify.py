#!/usr/bin/env python3
"""A second verifier for results of quanfu, by docs/result-format.md: no code of quanfu runs here.

    quanfu_verify.py RESULT [FILE]... [--profile P.toml]... [--reading R.json]... [--quanfu PATH]
    quanfu_verify.py --batch < jobs          one JSON object a line, one JSON verdict a line

RESULT is a result (quanfu.result/1) or the document of a key run (quanfu.groups/1); FILEs are the inputs, the outcomes
table or list of groups, and the predecessor, under any name: they are found by their digests. CSV is read here, by the
embedded profiles and those shipped beside this file or given. Other formats come through `quanfu read --format json`:
its output (--reading), or the command itself (--quanfu). A job of --batch has the keys `result`, `files`, `profiles`,
`readings`, `quanfu`; a file is a path or {"text": ...}.

It takes the claims of the table (outcome, code, group, rule) and checks that they must be so; what it did not check it
says. Exit codes: 0 holds; 3 does not hold; 2 wrong usage, or something is missing, so nothing is claimed.
Needs Python 3.9 or later, and `b3sum` where digests are BLAKE3.
"""

import csv
import datetime
import gzip
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict

from quanfu_read import (DIGITS, GRAIN, ROLES, UPPER, WS, CsvReader, Entry, Lie, Profile, Unable, brief, day_of, divided, fee_text,
                         first_64, found, minor_of, must, offset, sha, text_of, toml, written)

HEADER = "source,file,line,record,edge,outcome,code,group,rule,pass,value_date,amount,currency,group_difference,cause,note"


class Calendar:
    def __init__(self, text):
        lines = text.split("\n")
        off, rows, every_day, covers = {}, [], False, None
        if lines[0] != "date,kind,name,class" or lines[-1] != "":
            raise Lie("calendar: the rows are not as a calendar is written")
        for index, line in enumerate(lines[1:-1]):
            cells = line.split(",")
            if len(cells) != 4:
                raise Lie(f"calendar: line {line!r}")
            day = day_of(cells[0], "calendar")
            if cells[1] == "covers" and index == 0 and cells[3] == "":
                covers = (day, day_of(cells[2], "calendar"))
            elif cells[1] == "every_day" and index == 1 and line == f"{covers[0]},every_day,,":
                every_day = True
            elif cells[1] == "certainty" and not rows and cells[3] in ("certain", "probable", "unsure", "illustrative"):
                day_of(cells[2], "calendar")  # says how sure the days are, and changes none
            elif cells[1] in ("holiday", "makeup_workday") and covers and covers[0] <= day <= covers[1]:
                if rows and rows[-1] >= day or cells[1] == "makeup_workday" and day.weekday() < 5:
                    raise Lie(f"calendar: line {line!r} is out of order or on a weekday")
                rows.append(day)
                off[day.toordinal()] = cells[1] == "holiday"
            else:
                raise Lie(f"calendar: line {line!r}")
        if not covers:
            raise Lie("calendar: nothing says what it covers")
        self.first, self.days, self.counts = covers[0].toordinal(), [], []
        for number in range(self.first, covers[1].toordinal() + 1):
            weekend = not every_day and (number - 1) % 7 >= 5
            if not off.get(number, weekend):
                self.days.append(number)
            self.counts.append(len(self.days))

    def between(self, a, b):
        a, b = a.toordinal() - self.first, b.toordinal() - self.first
        inside = 0 <= a < len(self.counts) and 0 <= b < len(self.counts)
        return self.counts[b] - self.counts[a] if inside else None

    def add(self, day, count):
        at = day.toordinal() - self.first
        if not 0 <= at < len(self.counts):
            return None
        at = self.counts[at] + count - 1
        return day if count == 0 else datetime.date.fromordinal(self.days[at]) if at < len(self.days) else None


# --- rules -------------------------------------------------------------------------------------------------------------

OUTCOMES = "confirmed suggested ambiguous carried break duplicate reversed excluded rejected".split()
CODE_ORDER = """ONLY_CHANNEL ONLY_PLATFORM ONLY_BANK ONLY_PSP_BATCH AMOUNT_CHANNEL_MORE AMOUNT_CHANNEL_LESS STATUS_MISMATCH
CUTOFF DUPLICATE_RECORD DUPLICATE_PAYMENT REFUND_MISLINK FEE_DIFF FX_DIFF CURRENCY_MISMATCH BATCH_NET_DIFF
REVERSED_PAIR FILE_ERROR AMBIGUOUS_KEY AMBIGUOUS_TOKEN DATE_OUTSIDE_WINDOW RULE_SUGGESTS AMBIGUOUS_SUBSET
NOT_DECIDED WEAK_EVIDENCE REOPENED PARTIAL""".split()
RELATIONS = "1:1 1:n n:1 n:m one_sided".split()
KNOWN_PASSES = ("unique_key", "key_group", "net_batch", "exact_token")
BY_KEY = ("unique_key", "key_group")
SEARCHES = ("run_batch", "subset")
RULE_KEYS = set("id pass on left_where right_where left_amount right_amount explain tolerance window same_status decide"
                " rounding rounding_per single count on_difference max_chance partial rates".split())


WORDS = ("trim", "upper", "upper_unicode", "nfkc", "strip_leading_zeros", "strip_marks", "letters_and_digits")


class Rule:
    """A rule of an edge; `plain` tells whether all it says is understood here."""

    def __init__(self, spec):
        self.id, self.kind, self.spec = spec["id"], spec["pass"], spec
        self.plain = self.kind in KNOWN_PASSES and not set(spec) - RULE_KEYS
        self.on, self.refs_only = ([], []), ([], [])
        for on in spec.get("on", []):
            on = {"left": on, "right": on} if isinstance(on, str) else on
            for side, name in enumerate(("left", "right")):
                steps = on.get(name + "_normalise", [])
                known = all(s in WORDS if isinstance(s, str)
                            else list(s) in (["strip_prefix"], ["strip_suffix"], ["pad_zeros"], ["drop_words"], ["pattern"]) for s in steps)
                self.plain = self.plain and known and not set(on) - {"left", "right", "left_normalise", "right_normalise"}
                self.on[side].append((on[name], [(s, None) if isinstance(s, str) else next(iter(s.items())) for s in steps]))
        self.where = (spec.get("left_where", {}), spec.get("right_where", {}))
        self.amount_of = (spec.get("left_amount", "amount"), spec.get("right_amount", "amount"))
        self.explain, self.tolerances = spec.get("explain", []), spec.get("tolerance", [])
        self.window, self.rounding = spec.get("window"), spec.get("rounding", "half_up")
        default = "suggest" if self.kind in ("assignment", "subset") else "confirm"
        self.suggests = spec.get("decide", default) == "suggest"
        self.leaves = spec.get("on_difference") == "leave"
        self.partial = spec.get("partial")
        whole, _, decimals = spec.get("max_chance", "0.01").partition(".")
        self.chance = int(whole + decimals.ljust(6, "0"))

    def same_rows(self, other):
        return all(self.spec.get(key, default) == other.spec.get(key, default)
                   for key, default in (("on", []), ("left_where", {}), ("right_where", {})))

    def key(self, side, row, refs_only=False):
        parts = []
        for name, steps in self.on[side]:
            if not refs_only or name in ROLES:
                part = field(name, steps, row)
                if part is None:
                    return None
                parts.append(part)
        return tuple(parts)

    def tolerated(self, minor, currency):
        for one in self.tolerances:
            if abs(minor) <= one["max_minor"] and one.get("currency", currency) == currency:
                return one["cause"]
        return None


def field(name, steps, row):
    text = {"currency": row.currency, "kind": row.kind, "accounting_day": row.day and str(row.day),
            "value_date": row.value_date and str(row.value_date)}.get(name) or row.refs.get(name)
    for step, value in steps if text else ():
        if step == "trim":
            text = text.strip(WS)
        elif step == "upper":
            text = text.translate(UPPER)
        elif step == "strip_leading_zeros":
            text = text.lstrip("0") or text and "0"
        elif step == "strip_marks":
            text = "".join(c for c in text if c not in WS and c not in "-_./")
        elif step == "upper_unicode":
            text = text.upper()
        elif step == "nfkc":
            text = unicodedata.normalize("NFKC", text)
        elif step == "letters_and_digits":
            text = "".join(c for c in text if c.isalnum())
        elif step == "strip_suffix":
            text = text[:len(text) - len(value)] if value and text.endswith(value) else text
        elif step == "pad_zeros":
            text = text.rjust(value, "0") if text else text
        elif step == "drop_words":
            for word in value:
                text = text.replace(word, "")
        elif step == "strip_prefix":
            text = text[len(value):] if text.startswith(value) else text
        elif step == "pattern":
            text = found(value, text)
            if text is None:
                return None
    return text or None


def passes(where, row):
    return all(not where.get(key) or value in where[key] for key, value in (("kind", row.kind), ("status", row.status)))


class Rules:
    def __init__(self, text):
        spec = toml(text)
        try:
            must("rules_document: schema", spec.get("schema"), "quanfu.rules/1")
            self.name, self.calendar = spec["name"], spec["calendar"]
            self.viewpoint = spec.get("viewpoint", "platform")
            self.carry = spec.get("carry", {}).get("business_days")
            self.unknown = sorted(set(spec) - {"schema", "name", "viewpoint", "calendar", "carry", "source", "edge", "rates"})
            self.rates = spec.get("rates")
            names = list(dict.fromkeys(name for edge in spec["edge"] for name in (edge["left"], edge["right"])))
            self.sources = {name: spec["source"][name] for name in names}
            self.edges = []
            for edge in spec["edge"]:
                rules = [Rule(rule) for rule in edge["rule"]]
                name = edge.get("name", f"{edge['left']}-{edge['right']}")
                where = (edge.get("left_where", {}), edge.get("right_where", {}))
                self.edges.append({"name": name, "sides": (edge["left"], edge["right"]), "where": where, "rules": rules})
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Lie(f"rules_document: not rules ({error!r})") from None

    def roles(self, source):
        roles = set("order institution bank owner end_to_end refund original batch".split())
        roles.update(self.sources[source].get("identity", []))
        for edge in self.edges:
            for side in (0, 1):
                if edge["sides"][side] == source:
                    for rule in edge["rules"]:
                        roles.update(name for name, _ in rule.on[side])
                        roles.update({rule.spec.get("near", {}).get(SIDES[side]), rule.spec.get("count")} - {None})
        return roles.intersection(ROLES) | {token["role"] for token in self.sources[source].get("token", [])}

    def zone(self, source):
        return offset(self.sources[source].get("zone", "+08:00"))


# --- files -------------------------------------------------------------------------------------------------------------

CACHE = {}


def cached(key, make):
    if key not in CACHE:
        CACHE[key] = make()
    return CACHE[key]


class File:
    def __init__(self, given):
        self.name = given if isinstance(given, str) else given.get("name", "text")
        self.data = cached(("file", given), lambda: open(given, "rb").read()) if isinstance(given, str) else given["text"].encode()
        self.sha = sha(self.data)


def blake3(files):
    """BLAKE3 of byte strings by `b3sum`; None if it is not there."""
    new = {sha(data): data for data in files}
    new = {key: data for key, data in new.items() if ("b3", key) not in CACHE}
    if new and not shutil.which("b3sum"):
        return None
    if not new:
        return ["blake3:" + CACHE["b3", sha(data)] for data in files]
    with tempfile.TemporaryDirectory() as folder:
        for start in range(0, len(new), 500):
            some = list(new.items())[start : start + 500]
            paths = [os.path.join(folder, key) for key, _ in some]
            for path, (_, data) in zip(paths, some):
                with open(path, "wb") as out:
                    out.write(data)
            shown = subprocess.run(["b3sum", "--no-names", *paths], check=True, capture_output=True, text=True).stdout.split()
            CACHE.update({("b3", key): hex_ for (key, _), hex_ in zip(some, shown)})
    return ["blake3:" + CACHE["b3", sha(data)] for data in files]


class Job:
    """What is verified, with what was not checked on the way."""

    def __init__(self, result, files=(), profiles=(), readings=(), quanfu=None):
        self.result, self.files = File(result), [File(one) for one in files]
        self.profiles, self.readings, self.quanfu = profiles, readings, quanfu
        self.not_checked, self.missing = [], []

    def skip(self, what):
        if what not in self.not_checked:
            self.not_checked.append(what)

    def find(self, digest, size=None, name=None):
        """The file of a digest, or None."""
        if digest.startswith("sha256:"):
            return next((one for one in self.files if "sha256:" + one.sha == digest), None)
        fitting = [one for one in self.files if size is None or len(one.data) == size]
        digests = blake3([one.data for one in fitting])
        if digests is None:
            self.missing.append("b3sum is not there: BLAKE3 digests were not checked")
            named = [one for one in fitting if name and os.path.basename(one.name) == os.path.basename(name)]
            return (named or fitting or [None])[0]
        return next((one for one, found_ in zip(fitting, digests) if found_ == digest), None)

    def profile(self, doc, name):
        for embedded in doc["profiles"]:
            if embedded["name"] == name:
                return cached(("profile", embedded["text"]), lambda: Profile(embedded["text"]))
        here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "formats", "data", "profiles")
        shipped = [os.path.join(here, name + ".toml")] if os.path.isdir(here) else []
        for path in list(self.profiles) + shipped:
            if os.path.isfile(path):
                profile = cached(("profile-file", path), lambda: Profile(open(path, encoding="utf-8").read()))
                if profile.name == name:
                    return profile
        return None

    def reading(self, doc, file):
        """The file as `quanfu read --format json` tells it."""
        for given in self.readings:
            reading = cached(("reading", given), lambda: json.load(open(given, encoding="utf-8")))
            digests = blake3([file.data])
            if any(one["digest"] in ["sha256:" + file.sha] + (digests or []) or digests is None and one["bytes"] == len(file.data)
                   for one in reading["files"]):
                must("reading: schema", reading["schema"], "quanfu.reading/1")
                return reading["files"]
        if not self.quanfu:
            raise Unable(f"{file.name}: its format is not read here; --quanfu PATH or --reading FILE.json would tell it")

        def run():
            with tempfile.TemporaryDirectory() as folder:
                command, path = [self.quanfu, "read", "--format", "json", "-q"], os.path.join(folder, os.path.basename(file.name))
                for index, embedded in enumerate(doc["profiles"]):
                    with open(os.path.join(folder, f"{index}.toml"), "w", encoding="utf-8") as out:
                        out.write(embedded["text"])
                    command += ["--profile", os.path.join(folder, f"{index}.toml")]
                with open(path, "wb") as out:
                    out.write(file.data)
                return json.loads(subprocess.run(command + [path], capture_output=True, check=False).stdout)["files"]

        return cached(("run", file.sha, self.quanfu, json.dumps(doc["profiles"])), run)


# --- sources -----------------------------------------------------------------------------------------------------------

class Source:
    """A source read again. Rows name their file by its number, so that names stay claims of the document."""

    def __init__(self):
        self.rows, self.rejected, self.order, self.files, self.failing = [], [], [], [], []

    def fails(self, row):
        """Whether a proof on sums, counts, balances or digests of the row's statement or file fails."""
        return any(kind not in ("page_sequence", "end_marker") for kind, _, file, statement, _ in self.failing
                   if file == row.file and statement in (None, row.statement))


def members(data):
    """The files in a file, with the names of an archive's members."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [one for one in archive.infolist() if not one.is_dir() and one.external_attr >> 16 & 0o170000 != 0o120000]
            return [(archive.read(one), True) for one in infos]
    return [(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data, False)]


def entries_of_reading(read, data):
    """Entries and rejected records as `quanfu read` tells them; a record's bytes begin where it says and end at a line's
    or element's end in front of the next record, so its name is one of few."""
    entries, places = [], sorted(entry["at"]["byte"] for one in read["statements"] for entry in one["entries"])
    after = dict(zip(places, places[1:] + [len(data)]))
    for statement, one in enumerate(read["statements"]):
        for told in one["entries"]:
            at, hasher, names = told["at"]["byte"], hashlib.sha256(), set()
            last = at
            for end in re.finditer(rb"(?=[\r\n])|(?<=[>\n])|\Z", data[at : after[told["at"]["byte"]]]):
                hasher.update(data[last : at + end.start()])
                last = at + end.start()
                names.add(hasher.hexdigest()[:16])
            currency = told["currency"]
            time = told["time"] and re.fullmatch(r"(.{10})T(..):(..):(..)([+-].*)?", told["time"])
            fee = told["fee"] and re.fullmatch(r"(-?)([0-9]+)\.?([0-9]*)", told["fee"])
            entries.append(Entry(
                line=told["at"]["line"], raw=None, names=names, statement=statement,
                amount=minor_of(told["amount"], currency, "reading") if currency else told["amount"], currency=currency,
                kind=told["kind"], kind_written=told["kind_written"], status=told["status"], reversal=told["is_reversal"],
                value_date=(told["value_date"] or told["booking_date"]) and day_of(told["value_date"] or told["booking_date"]),
                time=time and (day_of(time[1]), int(time[2]) * 3600 + int(time[3]) * 60 + int(time[4]), time[5] and offset(time[5])),
                fee=fee and (int(fee[1] + fee[2] + fee[3]), len(fee[3])), rate=told["rate"],
                original=told["original"] and (minor_of(told["original"]["amount"], told["original"]["currency"], "reading"),
                                               told["original"]["currency"]),
                refs=told["references"], name=told["counterparty"].get("name"), remittance=told["remittance"]))
    return entries


def found_files(job, inputs):
    """The file of each input."""
    files = [job.find(one["digest"], one["bytes"], one["file"]) for one in inputs]
    for one, file in zip(inputs, files):
        if file is None:
            raise Unable(f"input {one['file']} ({one['digest']}, {one['bytes']} bytes) is not among the files")
    return files


def handed_on(previous):
    """Positions whose records go into the next day: what is carried, then breaks of one record or that lack a part."""
    return previous["carried"] + [one for one in previous["breaks"] if len(one["members"]) == 1 or one["code"] == "PARTIAL"]


def fee_rate(rates, kind, currency, day):
    """The row of a fee schedule that speaks of a record."""
    return next((one for one in rates if day and kind in one["kind"] and one["currency"] == currency
                 and one["from"] <= str(day) <= one.get("until", "9999-12-31")), None)


def fee_due(rate, amount, currency):
    """The fee by a schedule's row, in minor units, with the sign of the amount."""
    def scaled(text, digits):
        whole, _, decimals = text.partition(".")
        return int(whole + decimals.rstrip("0").ljust(digits, "0"))

    percent, fixed = rate.get("percent", "0"), scaled(rate.get("fixed", "0"), DIGITS[currency])
    decimals = len(percent.partition(".")[2])
    den = 100 * 10**decimals
    fee = divided(abs(amount) * scaled(percent, decimals) + fixed * den, den, rate["rounding"])
    if "min" in rate:
        fee = max(fee, scaled(rate["min"], DIGITS[currency]))
    if "max" in rate:
        fee = min(fee, scaled(rate["max"], DIGITS[currency]))
    return -fee if amount < 0 else fee


def fee_differences(rules, books, edges):
    for name, book in books.items():
        for index, row in enumerate(book.rows):
            rate = None if row.item or row.fee is None else fee_rate(rules.sources[name].get("fee", []), row.kind, row.currency, row.day)
            if rate is None or any(edge.claims[side][index].outcome == "duplicate" for edge in edges
                                   for side in (0, 1) if edge.books[side] is book):
                continue
            due = fee_due(rate, row.amount, row.currency)
            difference = divided(row.fee, GRAIN, rate["rounding"]) - due
            if difference:
                yield {"source": name, "file": book.file_of(row), "line": row.line, "record": shown_id(book.ids[index]),
                       "accounting_day": str(row.day), "kind": row.kind, "amount": text_of(row.amount, row.currency),
                       "currency": row.currency, "charged": fee_text(row.fee, row.currency), "due": text_of(due, row.currency),
                       "difference": text_of(difference, row.currency), "document": rate["document"]}


def read_source(job, doc, rules, name, inputs, files, previous):
    source, spec = Source(), rules.sources[name]
    roles, tokens, zone = rules.roles(name), spec.get("token", []), rules.zone(name)
    cutoff = spec.get("cutoff")
    cutoff = cutoff and sum(int(part) * unit for part, unit in zip(cutoff.split(":"), (3600, 60, 1)))
    for position in handed_on(previous) if previous else ():
        for member in position["members"]:
            if member["source"] == name and all(row.id != member["record"] for row in source.rows):
                source.rows.append(carried_row({key: value for key, value in member.items() if key not in ("side", "presence")}))
                source.order.append((True, len(source.rows) - 1))

    def row_of(entry, file):
        """The row of an entry, or the code of the reason why it is none."""
        currency = entry.currency or spec.get("currency")
        if not currency:
            return "record-no-currency"
        amount = entry.amount if isinstance(entry.amount, int) else minor_of(entry.amount, currency, "reading")
        fee = None
        if entry.fee:
            mantissa, scale = entry.fee
            while scale and mantissa % 10 == 0:
                mantissa, scale = mantissa // 10, scale - 1
            if scale > DIGITS[currency] + 6:
                return "record-fee"
            fee = mantissa * 10 ** (DIGITS[currency] + 6 - scale)
            if not -(2**63) < fee < 2**63:
                return "record-fee"
        rates = spec.get("fee", [])
        refs = {role: text for role, text in entry.refs.items() if role in roles and all(t["role"] != role for t in tokens)}
        if any(len(text.encode()) > 1024 for text in refs.values()):
            return "key-too-long"
        for token in tokens:
            text = {"remittance": " ".join(entry.remittance), "counterparty_name": entry.name, "kind_written": entry.kind_written,
                    "owner": entry.refs.get("owner"), "bank": entry.refs.get("bank"),
                    "end_to_end": entry.refs.get("end_to_end")}[token["from"]]
            hit = found(token["pattern"], text) if text is not None else None
            if hit and len(hit.encode()) <= 1024:
                refs[token["role"]] = hit
        day, instant = entry.value_date, None
        if entry.time:
            date, second, own = entry.time
            instant = (date.toordinal() - 719163) * 86400 + second - 60 * (zone if own is None else own)
            local = instant + zone * 60
            late = cutoff is not None and local % 86400 >= cutoff
            day = datetime.date.fromordinal(local // 86400 + 719163 + late)
        rate = fee_rate(rates, entry.kind, currency, day)
        if fee is None and rate:
            fee = fee_due(rate, amount, currency) * GRAIN
            if not -(2**63) < fee < 2**63:
                return "record-fee"
        row = Entry(id=None, raw=entry.raw, names=getattr(entry, "names", None), file=file, line=entry.line, amount=amount,
                    currency=currency, kind=entry.kind, status=entry.status, reversal=entry.reversal, value_date=entry.value_date,
                    day=day, instant=instant, fee=fee, original=entry.original, rate=entry.rate, item=None,
                    statement=getattr(entry, "statement", 0), refs={role: refs[role] for role in ROLES if role in refs})
        row.hash = sha(row.raw)[:16] if row.raw is not None else None
        return row

    def take(entries, rejected, file):
        """Rows in file order; on one line a readable record comes first."""
        marked = [(entry.line, 0, entry) for entry in entries] + [(one[0], 1, one) for one in rejected]
        for line, is_rejected, one in sorted(marked, key=lambda x: x[:2]):
            row = (one[1], one[2]) if is_rejected else row_of(one, file)
            if not is_rejected and not isinstance(row, str):
                source.order.append((True, len(source.rows)))
                source.rows.append(row)
            else:
                raw, code = row if is_rejected else (one.raw, row)
                source.order.append((False, len(source.rejected)))
                source.rejected.append(Entry(file=file, line=line, hash=sha(raw)[:16] if raw is not None else None, code=code))

    done = set()
    for at, (told, file) in enumerate(zip(inputs, files)):
        if told["digest"] in done:
            continue  # a further member of an archive that was read as a whole
        done.add(told["digest"])
        given = spec.get("profile")
        profile = job.profile(doc, given or told["format"])
        if given and profile is None:
            raise Unable(f"profile {given!r} is neither embedded nor shipped nor given")
        if profile and profile.plain:
            parts = cached(("members", file.sha), lambda: members(file.data))
            for data, is_member in parts:
                try:
                    read = cached(("csv", sha(data), profile.text), lambda: CsvReader(data, profile))
                except Lie:
                    if is_member:
                        continue  # another file in the archive
                    raise
                number = len(source.files)
                take(read.entries, [one[:3] for one in read.rejected], number)
                source.failing += [(kind, scope, number, None, None) for kind, scope in read.failing]
                source.files.append({"format": profile.name, "encoding": {"cp1252": "windows-1252"}.get(read.encoding, read.encoding),
                                     "identity": read.identity(), "records": len(read.entries) + len(read.rejected),
                                     "entries": len(read.entries), "rejected": len(read.rejected)})
        else:
            reading = job.reading(doc, file)
            job.skip(f"{told['file']}: read by `quanfu read`; its identity, its rejected records' names and how it was read")
            parts = cached(("members", file.sha), lambda: members(file.data))
            for read, (data, _) in zip(reading, parts):
                number = len(source.files)
                entries = cached(("reading-entries", sha(data)), lambda: entries_of_reading(read, data))
                take(entries, [(one["line"], None, one["code"]) for one in read["rejected"]], number)
                proofs = [(proof, None) for proof in read["proofs"]]
                proofs += [(proof, n) for n, one in enumerate(read["statements"]) for proof in one["proofs"]]
                for proof, statement in proofs:
                    if proof["verdict"] == "fails":
                        one = read["statements"][statement] if statement is not None else {}
                        called = " ".join(part for part in (one.get("id"), one.get("number")) if part) or None
                        source.failing.append((proof["kind"], proof["scope"], number, statement, dict(proof, statement=called)))
                source.files.append({"format": read["format"], "encoding": read["encoding"], "identity": None, **read["counts"]})
        for number in range(at, len(source.files)):
            source.files[number].update(digest=told["digest"], bytes=len(file.data))
    return source


def carried_row(item):
    """The row of an item that the predecessor carried over."""
    place, currency = f"carried item {item['record']}", item["currency"]
    fee = item.get("fee")
    if fee is not None:
        shown = re.fullmatch(r"(-?[0-9]+)\.?([0-9]*)", fee)
        fee = int(shown[1] + shown[2]) * 10 ** (DIGITS[currency] + 6 - len(shown[2]))
    original = item.get("original")
    return Entry(id=item["record"], raw=None, names=None, file=None, line=item["line"], amount=minor_of(item["amount"], currency, place),
                 currency=currency, kind=item["kind"], status=item["status"], reversal=item.get("is_reversal", False),
                 value_date=item.get("value_date") and day_of(item["value_date"]),
                 day=item.get("accounting_day") and day_of(item["accounting_day"]), instant=item.get("instant"), fee=fee,
                 original=original and (minor_of(original["amount"], original["currency"], place), original["currency"]),
                 rate=item.get("rate"), item=item, statement=None, refs=item["references"], hash=None)


class Book:
    """A source with the names that this result gives its files and records."""

    def __init__(self, name, source, inputs, claimed):
        self.name, self.source, self.rows = name, source, source.rows
        self.file_names = [one["file"] for one in inputs]
        self.ids, self.rejected_ids, seen, free = [None] * len(source.rows), [None] * len(source.rejected), defaultdict(int), iter(claimed)
        for is_row, index in source.order:
            one, claim = (source.rows if is_row else source.rejected)[index], next(free, None)
            if is_row and one.item:
                digest, _, nth = one.id.partition("-")
                seen[digest] = max(seen[digest], int(nth or 1))
                self.ids[index] = (digest, int(nth or 1))
                continue
            digest = one.hash
            if digest is None:
                digest = (claim or "").partition("-")[0]
                if not re.fullmatch("[0-9a-f]{16}", digest) or is_row and digest not in one.names:
                    raise Lie(f"source {name}, line {one.line}: {claim!r} is no name of the record's bytes")
            seen[digest] += 1
            (self.ids if is_row else self.rejected_ids)[index] = (digest, seen[digest])
        self.by_id = {shown_id(id_): index for index, id_ in enumerate(self.ids)}

    def file_of(self, one):
        return one.item["file"] if getattr(one, "item", None) else self.file_names[one.file]

    def item(self, index):
        """A row with its data, as results keep open items."""
        row = self.rows[index]
        if row.item:
            return row.item
        item = {"source": self.name, "record": shown_id(self.ids[index]), "file": self.file_of(row), "line": row.line,
                "amount": text_of(row.amount, row.currency), "currency": row.currency,
                "fee": None if row.fee is None else fee_text(row.fee, row.currency),
                "original": row.original and {"amount": text_of(*row.original), "currency": row.original[1]},
                "rate": row.rate, "kind": row.kind, "status": row.status, "is_reversal": row.reversal or None,
                "value_date": row.value_date and str(row.value_date), "accounting_day": row.day and str(row.day),
                "instant": row.instant}
        return {**{key: value for key, value in item.items() if value is not None}, "references": row.refs}


def shown_id(id_):
    return id_[0] if id_[1] == 1 else f"{id_[0]}-{id_[1]}"


# --- an edge: the claims of the table, and why they must be so -------------------------------------------------------------

CODES = set("""ONLY_CHANNEL ONLY_PLATFORM ONLY_BANK ONLY_PSP_BATCH AMOUNT_CHANNEL_MORE AMOUNT_CHANNEL_LESS STATUS_MISMATCH CUTOFF
DUPLICATE_RECORD DUPLICATE_PAYMENT REFUND_MISLINK FEE_DIFF FX_DIFF CURRENCY_MISMATCH BATCH_NET_DIFF REVERSED_PAIR FILE_ERROR
AMBIGUOUS_KEY AMBIGUOUS_TOKEN DATE_OUTSIDE_WINDOW RULE_SUGGESTS NOT_DECIDED""".split())
SIDES = ("left", "right")
ROLE_ORDER = {"order": 0, "institution": 1, "bank": 2}
ONLY = {("order", "institution"): "ONLY_PLATFORM", ("order", "bank"): "ONLY_PLATFORM", ("institution", "order"): "ONLY_CHANNEL",
        ("bank", "order"): "ONLY_CHANNEL", ("institution", "bank"): "ONLY_PSP_BATCH", ("bank", "institution"): "ONLY_BANK"}


def cause(name, minor, currency, note=None):
    return {"cause": name, "minor": minor, "currency": currency, "note": note}


def cause_text(one):
    amount = text_of(one["minor"], one["currency"])
    if one["note"] is None:
        return one["cause"] + ":" + amount
    return f"fx:{one['note']}" if one["cause"] == "fx" else f"{one['cause']}:{amount} ({one['note']})"


def unexplained(difference):
    return [cause("unexplained", *difference)] if difference and difference[0] else []


class Edge:
    def __init__(self, job, doc, rules, spec, books, calendar, previous, rates):
        self.rates = rates
        self.job, self.doc, self.rules, self.spec, self.calendar = job, doc, rules, spec, calendar
        self.name, self.books = spec["name"], [books[name] for name in spec["sides"]]
        self.roles = [rules.sources[name]["role"] for name in spec["sides"]]
        self.previous = previous
        self.claims = [[None] * len(book.rows) for book in self.books]
        self.groups = {}
        self.as_of = day_of(doc["as_of"], "as_of")

    def row(self, side, index):
        return self.books[side].rows[index]

    def take(self, side, index, cells):
        """A line of the table: what it claims of the row."""
        outcome, code, group, rule, kind, difference, causes = cells
        place = f"edge {self.name}, record {shown_id(self.books[side].ids[index])}"
        ids = [one.id for one in self.spec["rules"]]
        if outcome not in OUTCOMES or outcome == "rejected":
            raise Lie(f"{place}: outcome {outcome!r} of a record that can be read")
        if rule and rule not in ids:
            raise Lie(f"{place}: {rule!r} is no rule of the edge")
        at = ids.index(rule) if rule else None
        must(f"{place}, pass", kind, self.spec["rules"][at].kind if rule else "")
        self.claims[side][index] = claim = Entry(outcome=outcome, code=code or None, rule=at, group=group or None)
        if bool(group) == (outcome in ("carried", "excluded") and code != "PARTIAL"):
            raise Lie(f"{place}: {outcome} goes {'without' if group else 'with'} a group")
        if not group:
            must(f"{place}, difference and cause of no group", (difference, causes), ("", ""))
            return
        of = self.groups.setdefault(group, Entry(id=group, members=([], []), claim=claim, told=(difference, causes)))
        if (of.claim.outcome, of.claim.code, of.claim.rule, of.told) != (outcome, code or None, at, (difference, causes)):
            raise Lie(f"{place}: the members of group {group} do not say the same of it")
        of.members[side].append(index)

    def single(self, rule):
        return {"left": 0, "right": 1}.get(rule.spec.get("single"), 0 if self.roles[0] == "bank" else 1)

    def part(self, rule, side, index):
        """A figure less the row's own fee, where fees explain."""
        minor, currency = self.figure(rule, side, index)
        if "fee" in rule.explain and rule.amount_of[side] != "original":
            minor -= self.fee(rule, self.row(side, index))
        return minor, currency

    def figure(self, rule, side, index):
        row, of = self.row(side, index), rule.amount_of[side]
        if of == "original" and row.original:
            return row.original
        return (row.amount - (self.fee(rule, row) if of == "net" else 0), row.currency)

    @staticmethod
    def fee(rule, row):
        return divided(row.fee or 0, GRAIN, rule.rounding)

    def sums(self, rule, members):
        """Sums of the compared figures of both sides and their currency, if both have members of one."""
        figures = [[self.figure(rule, side, index) for index in members[side]] for side in (0, 1)]
        currencies = {currency for side in figures for _, currency in side}
        if not all(figures) or len(currencies) != 1:
            return None
        return sum(f for f, _ in figures[0]), sum(f for f, _ in figures[1]), currencies.pop()

    def in_window(self, window, left, right):
        if not window:
            return True
        if not left.day or not right.day:
            return False
        if "business_days" in window:
            distance, (least, most) = self.calendar.between(left.day, right.day), window["business_days"]
        else:
            distance, (least, most) = (right.day - left.day).days, window["days"]
        return distance is not None and least <= distance <= most

    def expected(self, rule, members):
        """What a group with these members must be under a rule: the outcomes and codes that may be, and its causes."""
        lefts, rights = members
        sums = self.sums(rule, members)
        difference = sums and (sums[1] - sums[0], sums[2])
        open_ = difference, unexplained(difference)
        done = [("suggested", "RULE_SUGGESTS")] if rule.suggests else [("confirmed", None)]
        if rule.kind == "exact_token":
            if len(lefts) != 1 or len(rights) != 1:
                return ([("ambiguous", "AMBIGUOUS_TOKEN")], *open_)
            difference, causes, code = self.compare(rule, lefts[0], rights[0])
            # whether strangers crowd about the figure is told with the rows that were open
            return done if rule.suggests else done + [("suggested", "WEAK_EVIDENCE")], difference, causes
        if rule.kind in BY_KEY and (rule.kind == "unique_key" or len(lefts) == len(rights) == 1):
            if len(lefts) != 1 or len(rights) != 1:
                # which of the two: whether the proofs of the statements say that money moved twice
                return ([("ambiguous", "AMBIGUOUS_KEY"), ("break", "DUPLICATE_PAYMENT")], *open_)
            left, right = self.row(0, lefts[0]), self.row(1, rights[0])
            if rule.spec.get("same_status") and left.status != right.status:
                return ([("break", "STATUS_MISMATCH")], *open_)
            difference, causes, code = self.compare(rule, lefts[0], rights[0])
            in_window = self.in_window(rule.window, left, right)
        elif rule.kind == "key_group":
            statuses = {self.row(s, index).status for s in (0, 1) for index in members[s]}
            if rule.spec.get("same_status") and len(statuses) > 1:
                return ([("break", "STATUS_MISMATCH")], *open_)
            if not difference:
                return [("break", "CURRENCY_MISMATCH"), ("break", "DUPLICATE_PAYMENT")], None, []
            minor, currency = difference
            fees = [0] + ([sign * self.fees(rule, s, members[s]) for s, sign in ((0, -1), (1, 1))] if "fee" in rule.explain else [])
            fees = [fee for fee in sorted(fees, key=lambda fee: (abs(minor - fee), abs(fee))) if fee == minor or rule.tolerated(minor - fee, currency)]
            if not fees:
                figures = {self.figure(rule, s, index) for s in (0, 1) for index in members[s]}
                code = ("ambiguous", "AMBIGUOUS_KEY") if len(figures) == 1 else ("break", self.more_or_less(*sums[:2]))
                return ([code, ("break", "DUPLICATE_PAYMENT")], *open_)
            causes = [cause("fee", fees[0], currency)] if fees[0] else []
            causes += [cause(rule.tolerated(minor - fees[0], currency), minor - fees[0], currency)] if fees[0] != minor else []
            code, in_window = None, self.all_in_window(rule, members)
        else:
            single = self.single(rule)
            if not difference:
                several = ("ambiguous", "AMBIGUOUS_KEY") if len(members[single]) > 1 else ("break", "CURRENCY_MISMATCH")
                return [several], None, []
            causes, code, rest = [], None, difference[0]
            if "fee" in rule.explain:
                total = self.fees(rule, 1 - single, members[1 - single])
                minor = total if single == 0 else -total
                causes += [cause("fee", minor, difference[1])] if minor else []
                rest -= minor
            if rest:
                name = rule.tolerated(rest, difference[1])
                causes.append(cause(name or "unexplained", rest, difference[1]))
                code = None if name else "BATCH_NET_DIFF"
            parts = None if code else self.parts_tie(rule, members)
            if len(members[single]) > 1 and (code or parts):
                return ([("ambiguous", "AMBIGUOUS_KEY")], *open_)
            if any(self.books[s].source.fails(self.row(s, index)) for s in (0, 1) for index in members[s]):
                code = "FILE_ERROR"
            in_window = self.all_in_window(rule, members)
            counts = self.counts(rule, members[single])
            weak = [("suggested", "RULE_SUGGESTS" if rule.suggests else "WEAK_EVIDENCE")]
            if counts is not None and set(counts) != {len(members[1 - single])} or parts is None:
                done = weak
            elif not rule.suggests:
                done = done + weak  # whether another day or a search throws doubt on it is told with the rows that were open
        if code:
            return [("break", code)], difference, causes
        if not in_window:
            return [("suggested", "DATE_OUTSIDE_WINDOW")], difference, causes
        return done, difference, causes

    def counts(self, rule, lines):
        """How many rows the lines say that they stand for, if all of them do."""
        counts = [self.row(self.single(rule), line).refs.get(rule.spec.get("count")) or "" for line in lines]
        known = all(re.fullmatch(r"\+?[0-9]{1,19}", count) for count in counts)
        return [int(count) for count in counts] if known else None

    def parts_tie(self, rule, members):
        """Whether several lines of a batch could be batches of their own; None: not known."""
        single = self.single(rule)
        lines, rows = members[single], members[1 - single]
        if len(lines) == 1 or len(rows) == 1:
            return False
        counts = self.counts(rule, lines)
        if counts is not None:
            return set(counts) != {len(rows)}
        if max(len(lines), len(rows)) > 12:
            return None
        currency, most = self.figure(rule, single, lines[0])[1], 0
        for one in rule.tolerances:
            if one.get("currency", currency) == currency:
                most = max(most, one["max_minor"])
        sums = set()
        for of in some_of(rows):
            fee = self.fees(rule, 1 - single, of) if "fee" in rule.explain else 0
            sums.add(sum(self.figure(rule, 1 - single, row)[0] for row in of) - fee)
        sums = sorted(sums)
        for of in some_of(lines):
            target = sum(self.figure(rule, single, line)[0] for line in of)
            at = bisect_left(sums, target - most)
            if at < len(sums) and sums[at] <= target + most:
                return True
        return False

    def doubted(self, rule, at, keys, sets):
        """Batches that are no evidence: a search suggests something for a line of their key, or the line of the day before or
        after does not tie and of all pairs of a row of theirs and one of that day more than a hundredth bring the same."""
        single, doubted = self.single(rule), set()
        suggested = set()
        for index, claim in enumerate(self.claims[single]):
            by = claim.rule is not None and claim.rule < at and self.spec["rules"][claim.rule].kind in SEARCHES
            if by and claim.outcome == "suggested":
                suggested.add(rule.key(single, self.row(single, index)))
        days = ("accounting_day", "value_date")
        day = next((i for i, pair in enumerate(zip(*rule.on)) if all(name in days for name, _ in pair)), None)
        tied = {}
        for members in sets:
            may_be, _, causes = self.expected(rule, members)
            tied[members[single][0]] = members[1 - single] and may_be[0][0] in ("confirmed", "suggested")
        beside = defaultdict(list)
        parts = lambda rows: Counter(self.part(rule, 1 - single, row) for row in rows)
        alike = lambda a, b: sum(a[one] * b[one] for one in a) * 10**6 // (sum(a.values()) * sum(b.values())) > 10_000
        if day is not None:
            for key, members in keys.items():
                if members[0] and members[1]:
                    beside[key[:day] + key[day + 1:]].append((key[day], tied.get(members[single][0]), members))
            for all_ in beside.values():
                all_.sort(key=lambda one: one[0])
                for (_, tie, one), (_, other_tie, other) in zip(all_, all_[1:]):
                    if bool(tie) != bool(other_tie) and alike(parts(one[1 - single]), parts(other[1 - single])):
                        doubted.add((one if tie else other)[single][0])
        for key, members in keys.items():
            if members[single] and key in suggested:
                doubted.add(members[single][0])
        return doubted

    def lacks_a_part(self, rule, members, code):
        """Whether only rows of the side that may come in parts are missing."""
        if code not in ("AMOUNT_CHANNEL_MORE", "AMOUNT_CHANNEL_LESS", "AMBIGUOUS_KEY") or not rule.partial:
            return False
        sums = self.sums(rule, members)
        came, whole = sums[:2] if rule.partial == "left" else (sums[1], sums[0])
        return came * whole > 0 and abs(came) < abs(whole)

    def fees(self, rule, side, indexes):
        fees = [self.row(side, index).fee or 0 for index in indexes]
        if rule.spec.get("rounding_per", "row") == "row":
            return sum(divided(fee, GRAIN, rule.rounding) for fee in fees)
        return divided(sum(fees), GRAIN, rule.rounding)

    def all_in_window(self, rule, members):
        days = [{self.row(side, index).day: self.row(side, index) for index in members[side]}.values() for side in (0, 1)]
        return all(self.in_window(rule.window, a, b) for a in days[0] for b in days[1])

    def more_or_less(self, a, b):
        right_is_book = ROLE_ORDER[self.roles[1]] < ROLE_ORDER[self.roles[0]]
        book, channel = (b, a) if right_is_book else (a, b)
        return "AMOUNT_CHANNEL_MORE" if abs(channel) > abs(book) else "AMOUNT_CHANNEL_LESS"

    def compare(self, rule, l, r):
        """Difference, causes and code of a pair."""
        left, right = self.row(0, l), self.row(1, r)
        (a, a_currency), (b, b_currency) = self.figure(rule, 0, l), self.figure(rule, 1, r)
        if a_currency != b_currency:
            return self.across(rule, left, right, (a, a_currency), (b, b_currency))
        rest = b - a
        if not rest:
            return (0, a_currency), [], None
        fees = []
        if "fee" in rule.explain:
            fees += [-self.fee(rule, left)] if left.fee is not None else []
            fees += [self.fee(rule, right)] if right.fee is not None else []
        fees = [fee for fee in fees if fee]
        if rest in fees:
            return (rest, a_currency), [cause("fee", rest, a_currency)], None
        for fee in [0] + sorted(fees, key=lambda fee: (abs(rest - fee), abs(fee))):
            name = rule.tolerated(rest - fee, a_currency)
            if name:
                causes = [cause("fee", fee, a_currency)] if fee else []
                return (rest, a_currency), causes + [cause(name, rest - fee, a_currency)], None
        code = self.more_or_less(a, b)
        if left.fee is not None and right.fee is not None and left.amount == right.amount and left.fee != right.fee:
            code = "FEE_DIFF"
        return (rest, a_currency), [cause("unexplained", rest, a_currency)], code

    def across(self, rule, left, right, a, b):
        """The same of two currencies: by one rate, and what was done in its place where they do not meet."""
        by_table = rule.spec.get("rates")
        if not (left.rate or right.rate or by_table):
            return None, [], "CURRENCY_MISMATCH"
        open_ = None, [], "FX_DIFF"
        if left.rate:
            left_is_result = left.original is not None
        elif right.rate:
            left_is_result = right.original is None
        else:
            later = ROLE_ORDER[self.roles[1]] < ROLE_ORDER[self.roles[0]]
            left_is_result = left.original is not None or right.original is None and later
        source, result = (b, a) if left_is_result else (a, b)
        sign = -1 if left_is_result else 1
        named = [(row.rate, f"{row.rate} of {side}") for row, side in ((left, "left"), (right, "right")) if row.rate and usable(row.rate)]
        if by_table:
            found_ = self.rates.of(a[1], b[1], (left if by_table == "left" else right).day) if self.rates else None
            if not found_:
                return open_
            (agreed, note), *of_days = [(rate, f"{rate} of {day}") for rate, day in found_]
        else:
            agreed = note = left.rate or right.rate
            if not usable(agreed):
                return open_
            of_days, named = [], [one for one in named if one[1] == f"{one[0]} of right"] if left.rate else []
        by = lambda amount, rate, rounding=rule.rounding: in_range(converted(amount, rate, rounding), result[1])
        expected = by(source, agreed)
        if "fx" not in rule.explain or expected is None:
            return open_
        off = sign * (result[0] - expected)
        first, fees = cause("fx", 0, result[1], note), []
        difference = (off, result[1]) if off else None
        if not off:
            return None, [first], None
        if "fee" in rule.explain:
            fees = [s * self.fee(rule, row) for row, s in ((left, -1), (right, 1)) if row.currency == result[1] and row.fee]
        fees = [fee for fee in fees if fee]
        if off in fees:
            return difference, [first, cause("fee", off, result[1])], None
        told = (left if left_is_result else right).original
        amounts = [source] + ([told] if told and told[1] == source[1] and told != source else [])
        unit, base, _, value, quote = agreed.split(" ")
        turned = f"{unit} {quote} = {value} {base}"
        for fee in [0] + fees:
            there = result[0] - sign * fee
            for amount in amounts:
                plain = by(amount, agreed)
                if plain is None:
                    continue
                causes = [cause("fx_price", sign * (plain - expected), result[1], f"{text_of(*amount)} {amount[1]}")] if amount != source else []
                if there != plain:
                    ways = (("fx_rate", [text for rate, text in named if by(amount, rate) == there]),
                            ("fx_rounding", [one for one in ROUNDINGS if by(amount, agreed, one) == there]),
                            ("fx_direction", ["divided" if amount[1] == base else "multiplied"] if by(amount, turned) == there else []),
                            ("fx_rate", [text for rate, text in of_days if by(amount, rate) == there]))
                    way = next(((name, texts) for name, texts in ways if texts), None)
                    if not way:
                        continue
                    causes.append(cause(way[0], sign * (there - plain), result[1], " or ".join(way[1])))
                causes += [cause("fee", fee, result[1])] if fee else []
                return self.fitting(difference, [first] + causes)
        return self.fitting(difference, [first, cause("unexplained", off, result[1])])

    @staticmethod
    def fitting(difference, causes):
        """A break of an exchange; nothing is said of what is beyond the range of amounts."""
        fits = all(-(1 << 63) <= one["minor"] < 1 << 63 for one in causes)
        return (difference, causes, "FX_DIFF") if fits else (None, [], "FX_DIFF")

    def check(self):
        for group in self.groups.values():
            self.check_group(group)
        self.check_stages()
        for at, rule in enumerate(self.spec["rules"]):
            mine = [group for group in self.groups.values() if group.claim.rule == at]
            if rule.plain:
                self.check_keys(at, rule, mine)
            else:
                self.job.skip(f"edge {self.name}, pass {rule.kind} of rule {rule.id}: only sums and membership checked")

    def check_group(self, group):
        """Its name, and its difference and causes."""
        place = f"edge {self.name}, group {group.id}"
        ids = [sorted(self.books[side].ids[index] for index in group.members[side]) for side in (0, 1)]
        text = self.name + "\n" + "".join(f"{SIDES[s]} {shown_id(id_)}\n" for s in (0, 1) for id_ in ids[s])
        must(f"{place}, id of its members", group.id, first_64(text))
        group.difference, group.causes, group.figures = None, [], None
        told_difference, told_causes = group.told
        if group.claim.rule is None:
            must(f"{place}, difference and cause", group.told, ("", ""))
            return
        rule = self.spec["rules"][group.claim.rule]
        sums = self.sums(rule, group.members)
        if rule.plain:
            may_be, group.difference, group.causes = self.expected(rule, group.members)
            if self.lacks_a_part(rule, group.members, may_be[0][1]):
                rows = [self.row(s, index) for s in (0, 1) for index in group.members[s]]
                may_be = [("carried" if all(map(self.may_wait, rows)) else "break", "PARTIAL")]
                group.causes = [{**one, "cause": "to_come"} for one in group.causes]
            claim = (group.claim.outcome, group.claim.code)
            if any(index in self.over_refunded(side) for side in (0, 1) for index in group.members[side]):
                may_be = [("break", "REFUND_MISLINK") if one[0] in ("confirmed", "suggested") else one for one in may_be]
            if claim not in may_be:
                raise Lie(f"{place}: found {brief(claim)}; rule {rule.id} gives {brief(may_be)}")
            if len(may_be) > 1 and rule.kind not in ("exact_token", "net_batch"):
                self.job.skip("whether several rows of one key are a payment made twice or an ambiguous key")
        elif told_difference:
            if not sums:
                raise Lie(f"{place}: a difference of members without one common currency")
            group.difference = (sums[1] - sums[0], sums[2])
            group.causes = [self.told_cause(one, sums[2], place) for one in told_causes.split(";")] if told_causes else []
            parts = sum(one["minor"] for one in group.causes)
            if group.causes or group.claim.outcome == "confirmed":
                must(f"{place}, sum of its causes", parts, group.difference[0])
        else:
            group.causes = [cause(*one.split(":", 1)[:1], 0, sums and sums[2] or "CNY", one.split(":", 1)[1]) for one in told_causes.split(";") if ":" in one]
        group.figures = sums[:2] if group.difference and sums else None
        must(f"{place}, difference", told_difference, text_of(*group.difference) if group.difference else "")
        must(f"{place}, causes", told_causes, ";".join(map(cause_text, group.causes)))
        if group.claim.outcome == "confirmed" and (not all(group.members) or any(one["cause"] == "unexplained" for one in group.causes)):
            raise Lie(f"{place}: confirmed, but one-sided or unexplained")

    @staticmethod
    def told_cause(text, currency, place):
        name, _, amount = text.partition(":")
        return cause(name, minor_of(amount, currency, place), currency)

    def check_stages(self):
        """Rows outside the rules: excluded, reversed, duplicate, carried, broken."""
        for side in (0, 1):
            book, gone = self.books[side], set()
            pairs = {frozenset(pair) for pair in cached_on(book.source, "pairs", lambda: reversals(book.rows))}
            told = {frozenset(g.members[side]) for g in self.groups.values() if g.claim.outcome == "reversed" and g.members[side]}
            must(f"edge {self.name}, {SIDES[side]} reversed pairs", sorted(map(sorted, told)), sorted(map(sorted, pairs)))
            gone.update(*pairs)
            keys = None
            for group in self.groups.values():
                place, claim = f"edge {self.name}, group {group.id}", group.claim
                if not group.members[side] or claim.rule is not None:
                    continue
                if group.members[1 - side]:
                    raise Lie(f"{place}: members of both sides, but no rule")
                rows = group.members[side]
                if claim.outcome == "duplicate":
                    keys = keys or self.identities(side, gone)
                    same = [at for at, key in keys.items() if key == keys.get(rows[0]) and at not in rows]
                    if claim.code != "DUPLICATE_RECORD" or any(keys.get(at) != keys.get(rows[0]) for at in rows) or not same or rows[0] not in keys:
                        raise Lie(f"{place}: no copies of one record")
                    self.job.skip("duplicates: that the file's own totals tie without them")
                    gone.update(rows)
                elif claim.outcome == "reversed":
                    must(place + ", code", claim.code, "REVERSED_PAIR")
                elif claim.outcome == "break" and claim.code in CODES:
                    row = self.row(side, rows[0])
                    only = ONLY.get((self.roles[side], self.roles[1 - side])) or ("ONLY_PLATFORM", "ONLY_CHANNEL")[side]
                    if claim.code == "NOT_DECIDED" and any(not rule.plain for rule in self.spec["rules"]):
                        self.job.skip("what a search left undecided")
                    else:
                        must(place + ", code", claim.code, "REFUND_MISLINK" if row.kind == "refund" else only)
                    if len(rows) != 1 or self.may_wait(row):
                        raise Lie(f"{place}: a break without a rule is one record that may not be carried any more")
                else:
                    self.job.skip(f"edge {self.name}: why {claim.outcome} {claim.code}, which is not known here")
            for index, claim in enumerate(self.claims[side]):
                row, place = book.rows[index], f"edge {self.name}, record {shown_id(book.ids[index])}"
                out = index not in gone and (self.elsewhere(row) or not passes(self.spec["where"][side], row))
                if out != (claim.outcome == "excluded") or out and claim.code:
                    raise Lie(f"{place}: found {claim.outcome}; the rules say {'excluded' if out else 'not excluded'}")
                if claim.outcome == "carried" and not claim.group:
                    must(place, (claim.code, claim.rule), ("CUTOFF", None))
                    if not self.may_wait(row):
                        raise Lie(f"{place}: carried, but it is overdue or may not be carried")

    def over_refunded(self, side):
        """Refunds of which an order has more than it has payments, both booked and in this source."""
        def made():
            book, paid, back, orders = self.books[side], defaultdict(int), defaultdict(lambda: [0, set()]), defaultdict(set)
            rows = [(index, row) for index, row in enumerate(book.rows) if row.status == "booked"
                    and self.claims[side][index].outcome not in ("duplicate", "reversed")]
            for index, row in rows:
                if row.kind == "payment" and row.refs.get("order"):
                    paid[row.refs["order"], row.currency] += row.amount
                    for role in ("institution", "bank"):
                        if row.refs.get(role):
                            orders[row.refs[role]].add(row.refs["order"])
            for index, row in rows:
                if row.kind == "refund":
                    original = row.refs.get("original")
                    order = min(orders[original]) if original and len(orders.get(original, ())) == 1 else None
                    if not order and original and (original, row.currency) in paid:
                        order = original
                    order = order or row.refs.get("order")
                    back[order, row.currency][0] += row.amount
                    back[order, row.currency][1].add(index)
            return {index for key, (sum_, rows) in back.items() for index in rows
                    if key in paid and sum_ * paid[key] < 0 and abs(sum_) > abs(paid[key])}
        return cached_on(self, f"over {side}", made)

    def elsewhere(self, row):
        """Carried over on another edge only."""
        return row.item is not None and not any(
            position["edge"] == self.name and {k: v for k, v in member.items() if k not in ("side", "presence")} == row.item
            for position in handed_on(self.previous) for member in position["members"])

    def identities(self, side, gone):
        """For each row what makes two records one and the same."""
        name, book = self.spec["sides"][side], self.books[side]
        declared = self.rules.sources[name].get("identity", [])
        edge, at, rule = next(((edge, s, rule) for edge in self.rules.edges for s in (0, 1) if edge["sides"][s] == name
                               for rule in edge["rules"] if rule.kind in BY_KEY), (None, None, None))
        keys = {}
        for index, row in enumerate(book.rows):
            if declared:
                key = [field(one, [], row) for one in declared]
                key = None if None in key else tuple(key)
            else:
                fits = rule and passes(edge["where"][at], row) and passes(rule.where[at], row)
                key = rule.key(at, row) if fits else None
            if key and index not in gone and row.item is None:
                keys[index] = (key, row.currency, row.amount, row.kind)
        return keys

    def due(self, row):
        """The day until which a row may be carried; False: not at all; None: the calendar ends before."""
        if self.rules.carry is None or row.day is None:
            return False
        return self.calendar.add(row.day, self.rules.carry)

    def may_wait(self, row):
        due = self.due(row)
        return due is None or due is not False and self.as_of <= due

    def check_keys(self, at, rule, mine):
        """The groups of a rule are the keys of the rows that were open when it ran."""
        keys = defaultdict(lambda: ([], []))
        for side in (0, 1):
            for index, claim in enumerate(self.claims[side]):
                late = claim.rule is None and (claim.outcome == "carried" or claim.outcome == "break" and claim.code in CODES)
                if (late or claim.rule is not None and claim.rule >= at) and passes(rule.where[side], self.row(side, index)):
                    key = rule.key(side, self.row(side, index))
                    if key:
                        keys[key][side].append(index)
        sets, crowds = [], {}
        later = [one for one in self.spec["rules"][at + 1:] if one.kind == "key_group" and one.same_rows(rule)]
        for lefts, rights in keys.values():
            if rule.kind == "exact_token":
                crowd = self.crowd(rule, (lefts, rights))
                rivals = [(len(left), len(right), row) for left, right in self.components(rule, lefts, rights, self.waiting(rule))
                          for row in left]
                rivals = {row: left + right > 2 for left, right, row in rivals}
                for left, right in self.components(rule, lefts, rights, [rule.window or {"days": [0, 0]}]):
                    sets.append((left, right))
                    if len(left) == len(right) == 1 and not rule.suggests:
                        has_rival = rivals[left[0]] and rule.chance != 1_000_000
                        crowds[left[0], right[0]] = has_rival or self.is_crowded(rule, crowd, left[0], right[0])
            elif rule.kind == "unique_key" and (lefts and rights or len(lefts) + len(rights) > 1):
                if len(lefts) == len(rights) == 1 or not later:
                    sets.append((lefts, rights))
            elif rule.kind == "key_group" and lefts and rights:
                sets += self.told_apart(rule, lefts, rights)
            elif rule.kind == "net_batch":
                ones, many = (lefts, rights)[self.single(rule)], (lefts, rights)[1 - self.single(rule)]
                if rule.leaves and ones and many:
                    may_be, difference, causes = self.expected(rule, (lefts, rights))
                    # several lines that equal the rows before fees, and not after them, are ambiguous without a cause
                    apart = may_be[0][0] == "ambiguous" or any(one["cause"] == "unexplained" for one in causes)
                    if not difference or apart or self.parts_tie(rule, (lefts, rights)) is None:
                        continue
                if lefts and rights or len(ones) > 1 and not rule.leaves:
                    sets.append((lefts, rights))
        batches = {}
        if rule.kind == "net_batch" and not rule.suggests:
            doubted = self.doubted(rule, at, keys, sets)
            batches = {tuple(sorted(one[self.single(rule)])): one[self.single(rule)][0] in doubted for one in sets}
        want = {(tuple(sorted(l)), tuple(sorted(r))) for l, r in sets}
        for group in mine:
            told = tuple(tuple(sorted(side)) for side in group.members)
            if told not in want:
                raise Lie(f"edge {self.name}, group {group.id}: its members are not the rows that rule {rule.id} finds together")
            want.discard(told)
            if len(told[0]) == len(told[1]) == 1 and (told[0][0], told[1][0]) in crowds and group.claim.outcome != "break":
                weak = crowds[told[0][0], told[1][0]]
                must(f"edge {self.name}, group {group.id}, evidence", group.claim.code, "WEAK_EVIDENCE" if weak else None)
            lines = told[self.single(rule)]
            if lines in batches and len(self.expected(rule, told)[0]) > 1 and group.claim.outcome in ("confirmed", "suggested"):
                must(f"edge {self.name}, group {group.id}, evidence", group.claim.code, "WEAK_EVIDENCE" if batches[lines] else None)
        if want:
            left, right = min(want)
            side = 0 if left else 1
            record = shown_id(self.books[side].ids[(left or right)[0]])
            raise Lie(f"edge {self.name}: rule {rule.id} gives a group with record {record}; the table lacks it")

    def told_apart(self, rule, lefts, rights):
        """A key whose sums tie, but for one side's fees: figures that stand once on each side are pairs, and so are equal
        figures of which each day has one on each side; the rest stays together."""
        may_be, difference, causes = self.expected(rule, (lefts, rights))
        names = [one["cause"] for one in causes]
        if len(lefts) == len(rights) == 1 or not difference or may_be[0][0] in ("break", "ambiguous") or names not in ([], ["fee"]):
            return [(lefts, rights)]
        ways = []
        for less in (0, 1) if names else (None,):
            by = defaultdict(lambda: ([], []))
            for side, rows in enumerate((lefts, rights)):
                for index in rows:
                    by[(self.part if side == less else self.figure)(rule, side, index)][side].append(index)
            pairs, rest = [], ([], [])
            for both in by.values():
                days = [[self.row(side, index).day for index in both[side]] for side in (0, 1)]
                if len(days[0]) == len(days[1]) == 1:
                    pairs.append(both)
                elif set(days[0]) == set(days[1]) and all(len(set(one)) == len(one) for one in days):
                    pairs += [([l], [r]) for l in both[0] for r in both[1] if self.row(0, l).day == self.row(1, r).day]
                else:
                    rest[0].extend(both[0])
                    rest[1].extend(both[1])
            if pairs and bool(rest[0]) == bool(rest[1]) and not (names and rest[0]):
                found_ = sorted(pairs) + ([rest] if rest[0] else [])
                ways += [found_] if found_ not in ways else []
        return ways[0] if len(ways) == 1 else [(lefts, rights)]  # two ways that differ tell nothing

    def crowd(self, rule, members):
        """Figures of the open rows of a key, by side, currency and day."""
        figures = defaultdict(list)
        for side in (0, 1):
            for index in members[side]:
                for minor, currency in {self.figure(rule, side, index), self.part(rule, side, index)}:
                    figures[side, currency, self.row(side, index).day].append(minor)
        return {key: sorted(values) for key, values in figures.items()}

    def is_crowded(self, rule, figures, left, right):
        """Whether an equal figure may well be a stranger's."""
        if rule.chance == 1_000_000:
            return False
        window = rule.window or {"days": [0, 0]}
        for side, own, other in ((0, left, right), (1, right, left)):
            minor, currency = self.figure(rule, 1 - side, other)
            reach, count, other_row = min(max(abs(minor) // 64, 8), 5000), 0, self.row(1 - side, other)
            for (of, in_, day), values in figures.items():
                if of == side and in_ == currency:
                    stranger = Entry(day=day)
                    pair = (stranger, other_row) if side == 0 else (other_row, stranger)
                    if self.in_window(window, *pair):
                        count += bisect_right(values, minor + reach) - bisect_left(values, minor - reach)
            mine = {self.figure(rule, side, own)[0], self.part(rule, side, own)[0]}
            count -= sum(abs(one - minor) <= reach for one in mine)
            if count * 1_000_000 > rule.chance * (2 * reach + 1):
                return True
        return False

    def waiting(self, rule):
        """The windows of all rules by token of this key, wider by the days that an item may be carried."""
        late, windows = self.rules.carry or 0, []
        for one in self.spec["rules"]:
            if one.kind == "exact_token" and one.spec.get("on", []) == rule.spec.get("on", []):
                for unit, (least, most) in (one.window or {"days": [0, 0]}).items():
                    windows.append({unit: [least - late, most + late]})
        return windows

    def components(self, rule, lefts, rights, windows):
        """Rows that fit by figure, day and keys, with all that they hang together with."""
        keyed = [one for one in self.spec["rules"] if one.kind in BY_KEY]

        def classes(side, rows):
            alike = defaultdict(list)
            for index in rows:
                row = self.row(side, index)
                keys = tuple(one.key(side, row) for one in keyed)
                alike[(self.figure(rule, side, index), self.part(rule, side, index)), row.day, keys].append(index)
            return list(alike.items())

        left, right = classes(0, lefts), classes(1, rights)
        by_figure, by_part = defaultdict(list), defaultdict(list)
        for number, (((figure, part), _, _), _) in enumerate(right):
            by_figure[figure].append(number)
            by_part[part].append(number)
        linked = defaultdict(set)
        for number, (((figure, part), _, keys), rows) in enumerate(left):
            # a fee may be off on one side, not on both
            for other in {*by_figure.get(figure, ()), *by_figure.get(part, ()), *by_part.get(figure, ())}:
                (_, _, other_keys), other_rows = right[other]
                apart = any(a and b and a != b for a, b in zip(keys, other_keys))
                if not apart and any(self.in_window(one, self.row(0, rows[0]), self.row(1, other_rows[0])) for one in windows):
                    linked[0, number].add((1, other))
                    linked[1, other].add((0, number))
        sets, seen = [], set()
        for start in list(linked):
            if start not in seen:
                todo, together = [start], {start}
                while todo:
                    new = linked[todo.pop()] - together
                    together |= new
                    todo += new
                seen |= together
                sets.append(tuple([index for s, number in together if s == side for index in (left, right)[side][number][1]] for side in (0, 1)))
        return sets

    # what the document says of the edge

    def totals(self, indexes, side):
        return totals(self.row(side, index) for index in indexes)

    def check_summary(self, told, place):
        must(f"{place}, names", (told["name"], told["left"], told["right"]), (self.name, *self.spec["sides"]))
        by = defaultdict(list)
        for side in (0, 1):
            for index, claim in enumerate(self.claims[side]):
                by[side, claim.outcome, claim.code].append(index)
        same_set(f"{place}.outcomes", told["outcomes"], [
            {"source": self.spec["sides"][side], "outcome": outcome, "code": code, "totals": self.totals(rows, side)}
            for (side, outcome, code), rows in by.items()])
        in_order(f"{place}.outcomes", told["outcomes"], lambda one: (
            self.spec["sides"].index(one["source"]), place_in(OUTCOMES, one["outcome"]), place_in(CODE_ORDER, one["code"])))
        counts = Counter((group.claim.rule, group.claim.outcome, relation(group)) for group in self.groups.values())
        rule = lambda at, what: None if at is None else getattr(self.spec["rules"][at], what)
        same_set(f"{place}.groups", told["groups"], [
            {"rule": rule(at, "id"), "pass": rule(at, "kind"), "outcome": outcome, "relation": shape, "groups": count}
            for (at, outcome, shape), count in counts.items()])
        ids = [rule.id for rule in self.spec["rules"]]
        in_order(f"{place}.groups", told["groups"], lambda one: (
            place_in(ids, one["rule"]), place_in(OUTCOMES, one["outcome"]), place_in(RELATIONS, one["relation"])))
        sums = {}
        for group in self.groups.values():
            if group.figures:
                left, causes, right = sums.setdefault(group.difference[1], ([0], defaultdict(int), [0]))
                left[0] += group.figures[0]
                right[0] += group.figures[1]
                for one in group.causes:
                    causes[one["cause"]] += one["minor"]
        bridges = []
        for currency, (left, causes, right) in sums.items():
            last = causes.pop("unexplained", 0)
            if left[0] + sum(causes.values()) + last != right[0] and all(r.plain for r in self.spec["rules"]):
                raise Lie(f"{place}: the bridge does not reach the right side")
            lines = [{"cause": name, "sum": text_of(minor, currency)} for name, minor in sorted(causes.items())]
            lines.append({"cause": "unexplained", "sum": text_of(last, currency)})
            bridges.append({"currency": currency, "left": text_of(left[0], currency), "causes": lines, "right": text_of(right[0], currency)})
        same_set(f"{place}.bridges", told["bridges"], bridges)

    def position(self, fingerprint, claim, members, difference=None, causes=()):
        """An open position as the document must have it, without the nearest candidate."""
        rows = [(s, index) for s in (0, 1) for index in sorted(members[s], key=lambda i: self.books[s].ids[i])]
        days = [self.row(s, index).day for s, index in rows if self.row(s, index).day]
        since = min(days) if days else None
        age = self.calendar.between(since, self.as_of) if since else None
        due = self.due(self.row(*rows[0])) if len(rows) == 1 and claim.rule is None else False
        if claim.code == "PARTIAL":  # it waits as long as each of its rows may
            dues = [self.due(self.row(*one)) for one in rows]
            due = False if False in dues else min((one for one in dues if one), default=None)
        position = {"fingerprint": fingerprint, "edge": self.name, "outcome": claim.outcome, "code": claim.code,
                    "rule": None if claim.rule is None else self.spec["rules"][claim.rule].id, "since": since and str(since),
                    "age_business_days": age if age is not None and age >= 0 else None}
        position.update({"due_not_determinable": True} if due is None else {"due": str(due)} if due else {})
        position["difference"] = text_of(*difference) if difference else None
        position["causes"] = [{k: v for k, v in (("cause", one["cause"]), ("amount", text_of(one["minor"], one["currency"])),
                                                 ("currency", one["currency"]), ("note", one["note"])) if v is not None} for one in causes]
        position["members"] = [{"side": SIDES[s], **self.books[s].item(index)} for s, index in rows]
        return position

    def positions(self, outcome):
        if outcome == "carried":
            for side in (0, 1):
                for index, claim in enumerate(self.claims[side]):
                    if claim.outcome == "carried" and not claim.group:
                        name = first_64(f"{self.name}\n{SIDES[side]} {shown_id(self.books[side].ids[index])}\n")
                        yield self.position(name, claim, ([index], []) if side == 0 else ([], [index]))
        for group in self.groups.values():
            if group.claim.outcome == outcome:
                yield self.position(group.id, group.claim, group.members, group.difference, group.causes)

    def check_nearest(self, place, nearest, members):
        """The nearest candidate is a row of the other side, and what is said of the two is so."""
        if len(members) != 1:
            raise Lie(f"{place}: a position of several records has no nearest candidate")
        side = SIDES.index(members[0]["side"])
        own, other = self.books[side].by_id[members[0]["record"]], None
        item, failed = nearest["item"], nearest["failed"]
        if item is not None:
            other = self.books[1 - side].by_id.get(item["record"])
            if other is None:
                raise Lie(f"{place}: {item['record']} is no record of the other side")
            same_json(place, item, self.books[1 - side].item(other))
        if not failed or failed["holds"]:
            raise Lie(f"{place}: no predicate that failed is named")
        own_text, other_text = (failed["left"], failed["right"]) if side == 0 else (failed["right"], failed["left"])
        predicate = failed["predicate"]
        if predicate not in ("key", "status", "kind", "amount", "window", "state") or not all(r.plain for r in self.spec["rules"]):
            self.job.skip(f"edge {self.name}: nearest candidates told by {predicate}")
            return
        if own_text not in self.texts(predicate, side, own):
            raise Lie(f"{place}: the record's {predicate} is not {own_text!r}")
        if other is None:
            if predicate != "key" or other_text:
                raise Lie(f"{place}: without a candidate nothing can be said of its {predicate}")
        elif other_text not in self.texts(predicate, 1 - side, other) or own_text == other_text and predicate != "state":
            raise Lie(f"{place}: the candidate's {predicate} is not {other_text!r}, or it does not differ")

    def texts(self, predicate, side, index):
        row = self.row(side, index)
        if predicate == "key":
            keys = [rule.key(side, row, only) for rule in self.spec["rules"] for only in (False, True)]
            return [""] + [" ".join(key) for key in keys if key is not None]
        return [{"status": row.status, "kind": row.kind, "amount": f"{text_of(row.amount, row.currency)} {row.currency}",
                 "window": str(row.day or ""), "state": self.claims[side][index].outcome}[predicate]]


def some_of(members):
    """All sets of some, but not all, of these."""
    return (of for count in range(1, len(members)) for of in itertools.combinations(members, count))


def cached_on(owner, name, make):
    if not hasattr(owner, name):
        setattr(owner, name, make())
    return getattr(owner, name)


def relation(group):
    left, right = map(len, group.members)
    if not left or not right:
        return "one_sided"
    return ("1" if left == 1 else "n") + ":" + ("1" if right == 1 else "m" if left > 1 else "n")


def totals(rows):
    sums = {}
    for row in rows:
        one = sums.setdefault(row.currency, [0, 0])
        one[0] += 1
        one[1] += row.amount
    return [{"currency": c, "count": count, "sum": text_of(total, c)} for c, (count, total) in sorted(sums.items())]


def same_json(place, found_, want):
    if json.dumps(found_, ensure_ascii=False) != json.dumps(want, ensure_ascii=False):
        raise Lie(f"{place}: found {brief(found_)}; the inputs give {brief(want)}")


def place_in(words, word):
    """Nothing stands before everything, what is not known here behind."""
    return -1 if word is None else words.index(word) if word in words else len(words)


def in_order(place, told, key):
    keys = [key(one) for one in told]
    if keys != sorted(keys):
        raise Lie(f"{place}: not in the order that the format gives")


def same_set(place, told, want):
    told, want = (Counter(json.dumps(one, ensure_ascii=False) for one in all_) for all_ in (told, want))
    for one in (told - want):
        raise Lie(f"{place}: found {brief(one)}; the inputs do not give it, or not so often")
    for one in (want - told):
        raise Lie(f"{place}: the inputs give {brief(one)}; it is lacking")


def converted(money, rate, rounding):
    """An amount by a row's own rate: one exact ratio, one rounding."""
    unit, base, _, value, quote = rate.split(" ")
    whole, _, decimals = value.partition(".")
    forward = 10 ** DIGITS[quote] * int(whole + decimals)
    backward = 10 ** DIGITS[base] * 10 ** len(decimals) * int(unit)
    if money[1] == base:
        return divided(money[0] * forward, backward, rounding), quote
    return (divided(money[0] * backward, forward, rounding), base) if money[1] == quote else None


ROUNDINGS = "half_up half_even half_down up down ceiling floor".split()


def in_range(figure, currency):
    """The minor units of a figure of this currency that an amount can hold."""
    return figure[0] if figure and figure[1] == currency and -(1 << 63) <= figure[0] < 1 << 63 else None


def usable(rate):
    unit, base, _, value, quote = rate.split(" ")
    return base != quote and unit in ("1", "10", "100", "1000", "10000") and bool(re.search("[1-9]", value)) and value[0] != "-"


class Rates:
    """A table of rates: those that the rules mean, by pair, in the order of the days on which they begin."""

    def __init__(self, spec, text, calendar):
        self.calendar, self.oldest, self.series, self.count = calendar, spec.get("max_business_days"), defaultdict(list), 0
        lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
        keys = lines[0] if lines else []
        if keys[:8] != "date base unit quote value kind source certainty".split():
            raise Lie("rates: not a table of rates")
        seen = {}
        for line in filter(None, lines[1:]):
            one = dict(zip(keys, line))
            start = one.get("valid_from") or one["date"]
            offshore = "CNH" in (one["base"], one["quote"])
            pair = tuple(sorted((one["base"], one["quote"])))
            self.count += 1
            key = (pair, one["kind"], one["source"], offshore, start)
            if seen.setdefault(key, line) != line:
                raise Lie(f"rates: two of {start}: {line}")
            if one["kind"] == spec.get("kind", "mid") and one["source"] == spec["source"] and not offshore:
                rate = f"{one['unit']} {one['base']} = {one['value']} {one['quote']}"
                entry = (start, one["date"], bool(one.get("valid_from") or one.get("valid_until")), one.get("valid_until") or "9999-12-31", rate)
                if entry not in self.series[pair]:
                    self.series[pair].append(entry)
        for series in self.series.values():
            series.sort()

    def of(self, one, other, day):
        """The rate that holds on a day and those that begin next before and after it, each with its day; None if none does."""
        series = self.series.get(tuple(sorted((one, other))), [])
        begun = [at for at, entry in enumerate(series) if day and entry[0] <= str(day)]
        if not begun:
            return None
        at = begun[-1]
        start, of_day, has_days, until, rate = series[at]
        if has_days and until < str(day):
            return None
        if not has_days and of_day != str(day):
            age = self.calendar.between(datetime.date.fromisoformat(of_day), day)
            if self.oldest is None or age is None or age > self.oldest:
                return None
        places = [at] + ([at - 1] if at else []) + ([at + 1] if at + 1 < len(series) else [])
        return [(series[place][4], series[place][1]) for place in places]


def rates_table(job, rules, told, calendar):
    """The table that the rules name, or None."""
    must("certificate.rates, where and only where the rules name a table", told is not None, rules.rates is not None)
    if told is None:
        return None
    has_keys(job, "certificate.rates", told, "file bytes digest rates".split())
    file = job.find(told["digest"])
    if file is None:
        raise Unable(f"the table of rates {told['file']} ({told['digest']}) is not among the files")
    rates = Rates(rules.rates, file.data.decode("utf-8"), calendar)
    must("certificate.rates", (told["bytes"], told["rates"]), (len(file.data), rates.count))
    return rates


def reversals(rows):
    """Pairs of a source that undo each other, each unique both ways."""
    is_reversal = lambda row: row.reversal or row.kind == "reversal"

    def linked(reversal, original):
        named = reversal.refs.get("original")
        return (named and any(original.refs.get(role) == named for role in ("institution", "bank", "order"))) or any(
            reversal.refs.get(role) not in (None, "NONREF") and original.refs.get(role) == reversal.refs[role]
            for role in ("bank", "institution", "owner", "end_to_end"))

    by_amount = defaultdict(list)
    for index, row in enumerate(rows):
        if not is_reversal(row):
            by_amount[row.currency, row.amount].append(index)
    pairs = []
    for index, row in enumerate(rows):
        if is_reversal(row):
            fits = [other for other in by_amount.get((row.currency, -row.amount), []) if linked(row, rows[other])]
            pairs += [(index, fits[0])] if len(fits) == 1 else []
    claimed = Counter(original for _, original in pairs)
    return [pair for pair in pairs if claimed[pair[1]] == 1]


# --- documents ---------------------------------------------------------------------------------------------------------

TOP = """schema engine rules viewpoint as_of as_of_given trusted failed_proofs sources edges breaks ambiguous suggested carried
rules_document profiles calendar certificate""".split()
CERTIFICATE = "inputs outcome_digest outcomes_table after supersedes body".split()
GROUPS_TOP = "schema engine edge rule trusted sources totals rejected rules_document profiles certificate".split()
POSITION = """fingerprint edge outcome code rule since age_business_days due due_not_determinable difference causes nearest
members""".split()


def has_keys(job, place, value, keys):
    """Known keys are there and in their order; others are told as not checked."""
    if [key for key in value if key in keys] != keys:
        raise Lie(f"{place}: its keys must be {', '.join(keys)}")
    for key in value:
        if key not in keys and key not in ("fee_differences", "rates"):
            job.skip(f"{place}.{key}: not known here")


def load(text, place):
    def whole(number):
        raise Lie(f"{place}: {number} is no whole number")

    try:
        doc = json.loads(text, parse_float=whole, parse_constant=whole)
    except ValueError as error:
        raise Lie(f"{place}: not JSON: {error}") from None
    if not isinstance(doc, dict):
        raise Lie(f"{place}: no object")
    return doc


def check_document(job, file, doc, keys, place="document"):
    """What a document says of itself."""
    text = file.data.decode("utf-8")
    has_keys(job, place, doc, keys)
    if written(doc) != text:
        raise Lie(f"{place}: its bytes are not as a result is written")
    body = doc["certificate"]["body"]
    head, key, tail = text.rpartition(f'"body": "{body}"')
    must(f"{place}: certificate.body", body, "sha256:" + sha((head + '"body": "sha256:' + "0" * 64 + '"' + tail).encode()))
    for one in [doc["rules_document"], *doc["profiles"], *([doc["calendar"]] if "calendar" in doc else [])]:
        must(f"{place}: digest of {one['name']}", one["digest"], "sha256:" + sha(one["text"].encode()))
    for one in doc["profiles"]:
        must(f"{place}: profiles.name", one["name"], cached(("profile", one["text"]), lambda: Profile(one["text"])).name)


def check_result(job, doc):
    check_document(job, job.result, doc, TOP)
    certificate = doc["certificate"]
    has_keys(job, "certificate", certificate, CERTIFICATE)
    if certificate.get("decisions"):
        raise Unable("the result applies a log of decisions, which is not read here; `quanfu verify` reads it")
    rules = cached(("rules", doc["rules_document"]["text"]), lambda: Rules(doc["rules_document"]["text"]))
    for key in rules.unknown:
        job.skip(f"rules, {key}: not known here")
    must("rules", (doc["rules"], doc["rules_document"]["name"]), (rules.name, rules.name))
    must("viewpoint", doc["viewpoint"], rules.viewpoint)
    must("calendar.name", doc["calendar"]["name"], rules.calendar)
    calendar = cached(("calendar", doc["calendar"]["text"]), lambda: Calendar(doc["calendar"]["text"]))
    previous = predecessor(job, certificate["after"])
    if certificate["supersedes"]:
        job.skip("certificate.supersedes: the result that is replaced")
    table = outcomes_table(job, certificate)
    inputs = {name: [one for one in certificate["inputs"] if one["source"] == name] for name in rules.sources}
    if sum(map(len, inputs.values())) != len(certificate["inputs"]):
        raise Lie("certificate.inputs: an input of a source that the rules do not name")
    order = [one["source"] for one in certificate["inputs"]]
    must("certificate.inputs, order of sources", order, sorted(order, key=list(rules.sources).index))
    if table is None:
        raise Unable("the result names no outcomes table, so there are no claims on rows to be checked here")
    first = {}
    for line in table:
        first.setdefault(line[0], line[4])
    books, failed = {}, []
    for name in rules.sources:
        key = ("source", rules_key(rules), name, previous and previous["certificate"]["body"],
               tuple((one["digest"], one["format"], one["bytes"]) for one in inputs[name]), json.dumps(doc["profiles"]))
        files = found_files(job, inputs[name])
        notes, job.not_checked = job.not_checked, []
        source, own = cached(key, lambda: (read_source(job, doc, rules, name, inputs[name], files, previous), job.not_checked))
        job.not_checked = notes
        for one in own:
            job.skip(one)
        must(f"source {name}, files", len(inputs[name]), len(source.files))
        for told, facts in zip(inputs[name], source.files):
            has_keys(job, f"input {told['file']}", told, "source file format encoding bytes digest identity records entries rejected".split())
            for key_, value in facts.items():
                if value is not None:
                    must(f"input {told['file']}, {key_}", told[key_], value)
        claimed = [line[3] for line in table if line[0] == name and line[4] == first.get(name)]
        books[name] = Book(name, source, inputs[name], claimed)
        failed += [(name, one, inputs[name][one[2]]["file"]) for one in source.failing]
    check_proofs(job, doc, failed)
    must("trusted", doc["trusted"], not failed and all(not book.source.rejected for book in books.values()))
    days = [row.value_date or row.day for book in books.values() for row in book.rows if row.value_date or row.day]
    if doc["as_of_given"]:
        job.skip("as_of: that the caller gave the business day")
    elif days:
        must("as_of, the latest day in the files", doc["as_of"], str(max(days)))
    rates = rates_table(job, rules, certificate.get("rates"), calendar)
    edges = [Edge(job, doc, rules, spec, books, calendar, previous, rates) for spec in rules.edges]
    check_table(job, doc, rules, edges, table)
    must("sources", len(doc["sources"]), len(books))
    for told, (name, book) in zip(doc["sources"], books.items()):
        carried = sum(row.item is not None for row in book.rows)
        entries, rejected = len(book.rows) - carried, len(book.source.rejected)
        same_json(f"source {name}", told, {"name": name, "role": rules.sources[name]["role"], "records": entries + rejected,
                                           "entries": entries, "rejected": rejected, "carried_in": carried, "totals": totals(book.rows)})
    must("edges", len(doc["edges"]), len(edges))
    for index, edge in enumerate(edges):
        edge.check()
        edge.check_summary(doc["edges"][index], f"edges[{index}]")
    check_positions(job, doc, edges)
    check_notes(doc, rules, edges, table)
    same_json("fee_differences", doc.get("fee_differences", []), list(fee_differences(rules, books, edges)))
    job.skip("engine; the calendar's rows, beyond what the ages and due days of this result depend on")


def rules_key(rules):
    roles = {name: sorted(rules.roles(name)) for name in rules.sources}
    return json.dumps([rules.sources, roles, [(edge["sides"], [rule.on for rule in edge["rules"]]) for edge in rules.edges]], default=str)


def predecessor(job, after):
    if after is None:
        return None
    for file in job.files:
        if file.data.startswith(b"{"):
            earlier = load(file.data.decode("utf-8", "replace"), file.name)
            if earlier.get("certificate", {}).get("body") == after["body"]:
                check_document(job, file, earlier, TOP, "predecessor")
                must("certificate.after.as_of", after["as_of"], earlier["as_of"])
                known = [{key: one[key] for key in ("source", "identity", "digest")} for one in earlier["certificate"]["inputs"]]
                known += (earlier["certificate"]["after"] or {}).get("inputs", [])
                same_json("certificate.after.inputs", after["inputs"], [one for one in known if one["identity"]])
                return earlier
    raise Unable(f"the predecessor of {after['as_of']} ({after['body']}) is not among the files")


def outcomes_table(job, certificate):
    """The table's lines as lists of cells."""
    digest = certificate["outcomes_table"]
    if digest is None:
        for file in job.files:
            if file.data[3 if file.data.startswith(b"\xef\xbb\xbf") else 0:].startswith(HEADER.encode()):
                raise Lie(f"{file.name}: the result names no outcomes table, but this is one")
        return None
    file = job.find(digest)
    if file is None:
        raise Unable(f"the outcomes table ({digest}) is not among the files")
    return cached(("table", file.sha), lambda: lines_of_table(file.data.decode("utf-8", "strict")))


class Line(list):
    """Cells of a line of the table; `plain` is the line without file and line number, as it is digested."""

    plain = ""


def lines_of_table(text):
    text = text[1:] if text.startswith("\ufeff") else text
    if not text.startswith(HEADER + "\n") or not text.endswith("\n"):
        raise Lie("outcomes table: its header or its last line end")
    lines, again = [Line(line) for line in csv.reader(io.StringIO(text, newline=""))][1:], [HEADER]
    for number, line in enumerate(lines):
        if len(line) != 16:
            raise Lie(f"outcomes table, line {number + 2}: {len(line)} cells")
        cells = list(map(quoted, line))
        line.plain = ",".join(cells[:1] + cells[3:]) + "\n"
        again.append(",".join(cells))
    if "\n".join(again) + "\n" != text:
        raise Lie("outcomes table: its cells are not written as they must be")
    return lines


NEEDS_QUOTES = re.compile('[,"\n\r]').search


def quoted(text):
    return '"' + text.replace('"', '""') + '"' if NEEDS_QUOTES(text) else text


def check_table(job, doc, rules, edges, table):
    """Every record once on each edge of its source, in its place, with its own data; and the outcome digest."""
    lines, hasher = iter(table), hashlib.sha256()
    for edge in edges:
        for side in (0, 1):
            book, plain = edge.books[side], []
            for is_row, index in book.source.order:
                line = next(lines, None)
                if line is None:
                    raise Lie(f"outcomes table: records of edge {edge.name} are lacking")
                one = (book.rows if is_row else book.source.rejected)[index]
                id_ = (book.ids if is_row else book.rejected_ids)[index]
                place = f"outcomes table, record {shown_id(id_)} on edge {edge.name}"
                want = [cell_text(book.name), cell_text(book.file_of(one)), str(one.line), shown_id(id_), cell_text(edge.name)]
                must(place, line[:5], want)
                if is_row:
                    must(place, line[10:13], [str(one.value_date or ""), text_of(one.amount, one.currency), one.currency])
                    edge.take(side, index, line[5:10] + line[13:15])
                else:
                    must(place, line[5:15], ["rejected", one.code] + [""] * 8)
                    job.skip("the words in which rejected records are told")
                plain.append((id_, not is_row, line.plain))
            for _, _, text in sorted(plain):
                hasher.update(text.encode())
    line = next(lines, None)
    if line is not None:
        raise Lie(f"outcomes table: {brief(line)} stands after the last record")
    must("certificate.outcome_digest", doc["certificate"]["outcome_digest"], "sha256:" + hasher.hexdigest())


def cell_text(text):
    return "'" + text if text and text[0] in "=+-@\t\r\n＝＋－＠'" else text


def check_proofs(job, doc, failed):
    keys = "source file statement kind scope verdict expected found difference".split()
    told = [{key: one[key] for key in keys} for one in doc["failed_proofs"]]
    for name, (kind, scope, _, _, whole), file in failed:
        want = {"source": name, "file": file, "statement": None, "kind": kind, "scope": scope, "verdict": "fails"}
        want.update({key: whole[key] for key in ("statement", "expected", "found", "difference")} if whole else {})
        fits = next((one for one in told if all(one[key] == value for key, value in want.items())), None)
        if fits is None:
            raise Lie(f"failed_proofs: {kind} {scope!r} of {file} fails; it is not told")
        told.remove(fits)
        if not whole:
            job.skip("the figures of failed proofs of CSV files")
    if told:
        raise Lie(f"failed_proofs: {brief(told[0])} does not fail")


def check_positions(job, doc, edges):
    by_name = {edge.name: edge for edge in edges}
    for list_, outcome in (("breaks", "break"), ("ambiguous", "ambiguous"), ("suggested", "suggested"), ("carried", "carried")):
        want = {(edge.name, one["fingerprint"]): one for edge in edges for one in edge.positions(outcome)}
        in_order(list_, doc[list_], lambda one: (place_in(list(by_name), one["edge"]), place_in(CODE_ORDER, one["code"]), one["fingerprint"]))
        for told in doc[list_]:
            place = f"{list_}, {told['fingerprint']} on edge {told['edge']}"
            kinds = {rule.id: rule.kind for rule in by_name[told["edge"]].spec["rules"]} if told["edge"] in by_name else {}
            for key in told:
                if key in ("search", "alternatives") and kinds.get(told["rule"]) not in ("run_batch", "subset"):
                    raise Lie(f"{place}: only what a search found has {key}")
                if key not in POSITION:
                    job.skip(f"{list_}.{key}: not known here")
            one = want.pop((told["edge"], told["fingerprint"]), None)
            if one is None:
                raise Lie(f"{place}: the table gives no such position, or it stands here twice")
            seen = {key: value for key, value in told.items() if key in POSITION and key != "nearest"}
            if any("presence" in member for member in told["members"]):
                job.skip("who has a payment (presence): not derived")
                seen["members"] = [{key: value for key, value in member.items() if key != "presence"} for member in told["members"]]
            same_json(place, seen, one)
            if told.get("nearest") is not None:
                by_name[told["edge"]].check_nearest(place + ", nearest", told["nearest"], told["members"])
                job.skip("nearest candidates: that none is nearer")
        for key in want:
            raise Lie(f"{list_}: the table gives {key}; the document lacks it")


def check_notes(doc, rules, edges, table):
    """The table's last cell: why a row is open, or both days of a confirmed pair."""
    single = {(one["edge"], one["members"][0]["side"], one["members"][0]["record"]): one
              for list_ in ("breaks", "ambiguous", "suggested", "carried") for one in doc[list_] if len(one["members"]) == 1}
    lines = iter(table)
    for edge in edges:
        for side in (0, 1):
            for is_row, index in edge.books[side].source.order:
                told, record = next(lines)[15], edge.books[side].ids[index] if is_row else None
                if not is_row:
                    continue
                claim, note = edge.claims[side][index], ""
                members = edge.groups[claim.group].members if claim.group else ([], [])
                rule = None if claim.rule is None else edge.spec["rules"][claim.rule]
                if rule and rule.kind in SEARCHES and claim.outcome != "ambiguous":
                    edge.job.skip("how far searches went, and that they found the only set")
                    note = told if told.startswith("only one of ") else "only one of …"
                elif claim.outcome == "confirmed":
                    days = [edge.row(s, members[s][0]).day for s in (0, 1)] if len(members[0]) == len(members[1]) == 1 else []
                    if days and all(days) and days[0] != days[1]:
                        note = f"days {days[0]} | {days[1]}"
                elif (edge.name, SIDES[side], shown_id(record)) in single:
                    one = single[edge.name, SIDES[side], shown_id(record)]
                    parts = [f"due {one['due']}"] if "due" in one else ["due date not determinable"] if "due_not_determinable" in one else []
                    nearest = one.get("nearest") or {}
                    failed = nearest.get("failed")
                    if failed:
                        who = f"nearest {nearest['item']['record']}: " if nearest["item"] else ""
                        parts.append(f"{who}{failed['predicate']} differs: {failed['left']} | {failed['right']}")
                    note = "; ".join(parts)
                must(f"outcomes table, note of record {shown_id(record)} on edge {edge.name}", told, cell_text(note))


# --- key runs ----------------------------------------------------------------------------------------------------------

def check_groups(job, doc):
    check_document(job, job.result, doc, GROUPS_TOP)
    certificate = doc["certificate"]
    has_keys(job, "certificate", certificate, "inputs header buckets groups_digest body".split())
    rules = Rules(doc["rules_document"]["text"])
    must("rules_document.name", doc["rules_document"]["name"], rules.name)
    if len(rules.edges) != 1:
        raise Lie("rules_document: a key run has one edge")
    edge = rules.edges[0]
    rule = next((one for one in edge["rules"] if one.kind == "unique_key"), None)
    must("edge and rule", (doc["edge"], doc["rule"]), (edge["name"], rule and rule.id))
    if not rule.plain:
        raise Unable(f"rule {rule.id} says what is not known here")
    parts = [[(name, steps) for name, steps in rule.on[side] if name in ROLES] for side in (0, 1)]
    groups, keyless, rejected, trusted = {}, Counter(), [], True
    inputs = [[one for one in certificate["inputs"] if one["source"] == name] for name in edge["sides"]]
    if sum(map(len, inputs)) != len(certificate["inputs"]):
        raise Lie("certificate.inputs: an input of a source that the edge does not name")
    spell = {"order": "order", "institution": "transaction", "bank": "bank"}
    all_rows = []
    for side, name in enumerate(edge["sides"]):
        plain = Rules(doc["rules_document"]["text"])  # a key run takes the references as the file has them
        plain.sources = {name: {**rules.sources[name], "token": []}}
        plain.roles = lambda _: set(ROLES)
        source = read_source(job, doc, plain, name, inputs[side], found_files(job, inputs[side]), None)
        must(f"source {name}, files", len(inputs[side]), len(source.files))
        for told, facts in zip(inputs[side], source.files):
            for key, value in facts.items():
                late = sum(one.code in ("key-too-long", "record-fee") for one in source.rejected)
                if value is not None and not (late and key in ("entries", "rejected")):
                    must(f"input {told['file']}, {key}", told[key], value)
        rejected += [(name, inputs[side][one.file]["file"], one.line, one.code) for one in source.rejected]
        trusted = trusted and not source.failing and not source.rejected
        all_rows.append(source.rows)
        for row in source.rows:
            key = [field(one, steps, row) for one, steps in parts[side]]
            own = row.refs.get(spell[rules.sources[name]["role"]], "")
            if None in key:
                keyless[side, own, row.currency, row.amount] += 1
            else:
                of = groups.setdefault((" ".join(key), row.currency), ([], []))
                of[side].append((own.encode(), row.amount))
    must("trusted", doc["trusted"], trusted)
    must("rejected", [(one["source"], one["file"], one["line"], one["code"]) for one in doc["rejected"]], rejected)
    if rejected:
        job.skip("the columns, fields and words in which rejected records are told")
    for side, (told, name) in enumerate(zip(doc["sources"], edge["sides"])):
        counts = {key: sum(one[key] for one in inputs[side]) for key in ("records", "entries", "rejected")}
        same_json(f"source {name}", told, {"name": name, "role": rules.sources[name]["role"], **counts, "carried_in": 0,
                                           "totals": totals(all_rows[side])})
    must("sources", len(doc["sources"]), 2)
    lines, sums = Counter(), defaultdict(lambda: [0, 0, 0])
    rows_of = {}
    for (key, currency), both in groups.items():
        counts, amounts = [len(side) for side in both], [sum(a for _, a in side) for side in both]
        names = [min(side)[0].decode() if side else "" for side in both]
        class_ = ("duplicate" if max(counts) > 1 else f"{edge['sides'][0]}_only" if not counts[1] else f"{edge['sides'][1]}_only"
                  if not counts[0] else "matched" if amounts[0] == amounts[1] else "amount_diff")
        shown = [text_of(amount, currency) if count else "" for amount, count in zip(amounts, counts)]
        line = ",".join([class_, quoted(key), currency, *map(quoted, names), *map(str, counts), *shown]) + "\n"
        lines[line] += 1
        rows_of[line] = counts
        total = sums[class_, currency]
        total[:] = total[0] + 1, total[1] + amounts[0], total[2] + amounts[1]
    for (side, name, currency, minor), count in keyless.items():
        names, counts, shown = ["", ""], [0, 0], ["", ""]
        names[side], counts[side], shown[side] = quoted(name), 1, text_of(minor, currency)
        line = ",".join(["no_ref", "", currency, *names, *map(str, counts), *shown]) + "\n"
        lines[line] += count
        rows_of[line] = counts
        total = sums["no_ref", currency]
        total[0] += count
        total[1 + side] += minor * count
    same_json("totals", doc["totals"], [
        {"class": class_, "currency": currency, "groups": count, "left": text_of(left, currency), "right": text_of(right, currency)}
        for (class_, currency), (count, left, right) in sorted(sums.items())])
    check_list(job, doc, rules, edge, lines, rows_of)
    job.skip("engine; names of files; into which bucket a line belongs, and the order of lines in it")


def check_list(job, doc, rules, edge, lines, rows_of):
    certificate = doc["certificate"]
    file = next((one for one in job.files if one.data.startswith(b"class,key,currency,")), None)
    if file is None:
        raise Unable("the list of groups is not among the files")
    header, first = certificate["header"], file.data.find(b"\n") + 1
    must("list of groups, header", file.data[:first].decode(), header)
    names = edge["sides"]
    counts = [f"n_{name}" for name in names] if names[0][0] == names[1][0] else [f"n{name[0]}" for name in names]
    cells = header.rstrip("\n").split(",")
    must("header", cells[:3] + cells[5:], ["class", "key", "currency", *counts, *(f"{name}_amount" for name in names)])
    for shown, name in zip(cells[3:5], names):
        role = {"order": "order", "institution": "transaction", "bank": "bank"}[rules.sources[name]["role"]]
        profile = job.profile(doc, rules.sources[name].get("profile", ""))
        words = profile.columns[role].names if profile and profile.plain and role in profile.columns else []
        if shown != role and shown not in words:
            raise Lie(f"header: {shown!r} is no name of {name}'s records")
    pieces, at = [], first
    for bucket in certificate["buckets"]:
        pieces.append(file.data[at : at + bucket["bytes"]])
        at += bucket["bytes"]
    must("list of groups, bytes", len(file.data), at)
    algs = {bucket["digest"].partition(":")[0] for bucket in certificate["buckets"]} | {certificate["groups_digest"].partition(":")[0]}
    if not algs <= {"sha256", "blake3"} or len(algs) != 1:
        raise Lie("certificate.buckets: digests of several kinds")
    alg = algs.pop()
    whole = b"".join(bytes.fromhex(bucket["digest"].partition(":")[2]) for bucket in certificate["buckets"])
    digests = ["sha256:" + sha(one) for one in pieces + [whole]] if alg == "sha256" else blake3(pieces + [whole])
    if digests is None:
        job.missing.append("b3sum is not there: BLAKE3 digests were not checked")
    else:
        must("certificate.groups_digest", certificate["groups_digest"], digests.pop())
        for number, (bucket, digest) in enumerate(zip(certificate["buckets"], digests)):
            must(f"bucket {number}, digest", bucket["digest"], digest)
    left = Counter(lines)
    for number, (bucket, piece) in enumerate(zip(certificate["buckets"], pieces)):
        count, rows, text = 0, [0, 0], piece.decode()
        for line in re.findall(r'(?:[^"\n]|"[^"]*")*\n|.+\Z', text, re.S):
            if left[line] <= 0:
                raise Lie(f"bucket {number}: the files do not give the line {line!r}")
            left[line] -= 1
            count, rows = count + 1, [a + b for a, b in zip(rows, rows_of[line])]
        must(f"bucket {number}, lines and rows", (bucket["lines"], bucket["rows"], bucket["bytes"]), (count, rows, len(piece)))
    for line in +left:
        raise Lie(f"list of groups: it lacks the line {line!r}")


# --- the command -------------------------------------------------------------------------------------------------------

def verify(spec):
    """The verdict on one result."""
    job = None
    try:
        job = Job(**spec)
        doc = load(job.result.data.decode("utf-8"), "document")
        check = {"quanfu.result/1": check_result, "quanfu.groups/1": check_groups}.get(doc.get("schema"))
        if check is None:
            raise Lie(f"schema: found {doc.get('schema')!r}")
        check(job, doc)
        verdict, message = ("incomplete", "; ".join(dict.fromkeys(job.missing))) if job.missing else ("holds", "")
    except Lie as lie:
        verdict, message = "fails", str(lie)
    except UnicodeDecodeError as error:
        verdict, message = "fails", f"not UTF-8: {error}"
    except Unable as unable:
        verdict, message = "incomplete", str(unable)
    except (OSError, subprocess.SubprocessError, zipfile.BadZipFile, EOFError) as error:
        verdict, message = "incomplete", f"cannot be read: {error}"
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, re.error) as error:
        at = error.__traceback__
        while at.tb_next:
            at = at.tb_next
        verdict, message = "incomplete", f"has another shape than is known here: {error!r} (line {at.tb_lineno})"
    return {"verdict": verdict, "message": message, "not_checked": job.not_checked if job else []}


EXIT = {"holds": 0, "fails": 3, "incomplete": 2}


def main(args):
    if args == ["--batch"]:
        worst = 0
        for line in sys.stdin:
            if line.strip():
                answer = verify(json.loads(line))
                worst = max(worst, EXIT[answer["verdict"]])
                print(json.dumps(answer, ensure_ascii=False), flush=True)
        return worst
    spec = {"profiles": [], "readings": [], "files": []}
    while args:
        arg = args.pop(0)
        if arg in ("--profile", "--reading", "--quanfu") and args:
            if arg == "--quanfu":
                spec["quanfu"] = args.pop(0)
            else:
                spec[arg[2:] + "s"].append(args.pop(0))
        elif arg.startswith("-"):
            print(__doc__.strip())
            return 0 if arg in ("-h", "--help") else 2
        elif "result" in spec:
            spec["files"].append(arg)
        else:
            spec["result"] = arg
    if "result" not in spec:
        print(__doc__.strip())
        return 2
    answer = verify(spec)
    print({"holds": "holds", "fails": "DOES NOT HOLD", "incomplete": "INCOMPLETE, nothing is claimed"}[answer["verdict"]]
          + (f": {answer['message']}" if answer["message"] else ""))
    for one in answer["not_checked"]:
        print(f"not checked: {one}")
    return EXIT[answer["verdict"]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
