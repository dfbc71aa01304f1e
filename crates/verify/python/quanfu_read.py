"""Money, TOML and CSV files by a profile (`quanfu.profile/1`), read for quanfu_verify.py: no code of quanfu runs here.

What of a profile is not known here makes `Profile.plain` false; such files are read through `quanfu read`.
"""

import datetime
import hashlib
import json
import re


class Lie(Exception):
    """Something is not as it must be: the place, and what was found and must be."""


class Unable(Exception):
    """Nothing can be said."""


def must(place, found, want):
    if found != want:
        raise Lie(f"{place}: found {brief(found)}; must be {brief(want)}")


def brief(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) < 400 else text[:400] + "..."


# --- money, days, texts ------------------------------------------------------------------------------------------------

ZERO = "ADP BIF BYR CLP DJF ESP GNF ISK ITL JPY KMF KRW PTE PYG RWF TRL UGX UYI VND VUV XAF XOF XPF"
TWO = """AED AFN ALL AMD ANG AOA ARS ATS AUD AWG AZN BAM BBD BDT BEF BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP COU CRC CUC CUP CVE CYP CZK DEM DKK DOP DZD EEK EGP ERN ETB EUR FIM FJD FKP FRF GBP GEL GHS GIP GMD
GRD GTQ GYD HKD HNL HRK HTG HUF IDR IEP ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL LTL LUF LVL MAD MDL
MGA MKD MMK MNT MOP MRO MRU MTL MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NLG NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR ROL
RON RSD RUB RUR SAR SBD SCR SDG SEK SGD SHP SIT SKK SLE SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
TZS UAH USD USN UYU UZS VED VEF VES WST XAD XCD XCG YER ZAR ZMK ZMW ZWG ZWL"""
DIGITS = {c: d for d, all_ in ((0, ZERO), (2, TWO), (3, "BHD IQD JOD KWD LYD OMR TND"), (4, "CLF UYW")) for c in all_.split()}
ROLES = "order institution bank owner end_to_end instruction transaction mandate refund original batch merchant token".split()
KINDS = "payment refund reversal chargeback fee payout transfer fx adjustment reserve other".split()
STATUSES = "booked pending information expected failed".split()
WS = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
UPPER = {c: c - 32 for c in range(97, 123)}
GRAIN = 10**6  # fees are kept in millionths of a minor unit
HEADER = "source,file,line,record,edge,outcome,code,group,rule,pass,value_date,amount,currency,group_difference,cause,note"


def text_of(minor, currency):
    """An amount at the currency's full scale."""
    digits = DIGITS[currency]
    text = str(abs(minor)).rjust(digits + 1, "0")
    return ("-" if minor < 0 else "") + (text[:-digits] + "." + text[-digits:] if digits else text)


def minor_of(text, currency, place):
    shown = re.fullmatch(r"(-?)([0-9]+)(?:\.([0-9]+))?", text)
    minor = int(shown[1] + shown[2] + (shown[3] or "")) if shown else None
    if minor is None or text_of(minor, currency) != text:
        raise Lie(f"{place}: {text!r} is no amount of {currency} at its full scale")
    return minor


def fee_text(grains, currency):
    digits = DIGITS[currency]
    text = str(abs(grains)).rjust(digits + 7, "0")
    whole, rest = text[: -digits - 6], text[-digits - 6 :]
    rest = rest[:digits] + rest[digits:].rstrip("0")
    return ("-" if grains < 0 else "") + whole + ("." + rest if rest else "")


def divided(num, den, mode):
    """num / den (den > 0), rounded once."""
    floor, rest = divmod(num, den)
    twice, minus = 2 * rest, num < 0
    up = rest and {
        "half_up": twice > den if minus else twice >= den,
        "half_down": twice >= den if minus else twice > den,
        "half_even": twice > den or (twice == den and floor % 2),
        "up": not minus, "down": minus, "ceiling": True, "floor": False,
    }[mode]
    return floor + (1 if up else 0)


def sha(data):
    return hashlib.sha256(data).hexdigest()


def first_64(text):
    return sha(text.encode())[:16]


def cell(text):
    """A text cell: RFC 4180, inert for spreadsheets."""
    if text and text[0] in "=+-@\t\r\n＝＋－＠'":
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if re.search('[,"\n\r]', text) else text


def written(document):
    """JSON with two blanks of indent and a final line end; much the same as json.dumps, and faster."""
    parts = []
    pretty(document, "\n", parts.append)
    return "".join(parts) + "\n"


def pretty(value, line, out):
    if isinstance(value, str):
        out(json_text(value))
    elif value and isinstance(value, (dict, list)):
        within = line + "  "
        begin, end = "{}" if isinstance(value, dict) else "[]"
        for one in value:
            out(begin + within)
            if end == "}":
                out(json_text(one) + ": ")
                one = value[one]
            pretty(one, within, out)
            begin = ","
        out(line + end)
    else:
        out(json.dumps(value))


json_text = json.encoder.encode_basestring


def day_of(text, place="day"):
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError(text)
        return datetime.date.fromisoformat(text)
    except (ValueError, TypeError):
        raise Lie(f"{place}: {text!r} is no day") from None


# --- TOML: the standard library's where there is one, else as much of it as rules and profiles use -----------------------

def toml(text):
    try:
        import tomllib
    except ImportError:
        return SmallToml(text).document()
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unable(f"not TOML 1.0: {error}") from None


class SmallToml:
    def __init__(self, text):
        self.text, self.at = text, 0

    def bad(self):
        return Unable(f"not the TOML that is known here: {self.text[self.at:self.at + 40]!r}")

    def take(self, pattern):
        found = re.compile(pattern).match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found

    def blank(self):
        self.take(r"(?:[ \t\r\n]|#[^\n]*)*")

    def document(self):
        table = root = {}
        while self.blank() or self.at < len(self.text):
            head = self.take(r"(\[\[?)")
            if head:
                *way, last = self.key()
                table = self.walk(root, way)
                if head[1] == "[[":
                    table.setdefault(last, []).append({})
                    table = table[last][-1]
                else:
                    table = self.walk(table, [last])
                if not self.take(re.escape("]" * len(head[1])) + r"[ \t]*(?:#[^\n]*)?(?=\r?\n|$)"):
                    raise self.bad()
            else:
                self.pair(table)
                if not self.take(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|$)"):
                    raise self.bad()
        return root

    def walk(self, table, way):
        for key in way:
            table = table.setdefault(key, {})
            table = table[-1] if isinstance(table, list) else table
            if not isinstance(table, dict):
                raise self.bad()
        return table

    def key(self):
        keys = []
        while True:
            found = self.take(r'[ \t]*(?:([A-Za-z0-9_-]+)|"([^"\\\n]*)"|\'([^\'\n]*)\')[ \t]*')
            if not found:
                raise self.bad()
            keys.append(next(part for part in found.groups() if part is not None))
            if not self.take(r"\."):
                return keys

    def pair(self, table):
        *way, last = self.key()
        table = self.walk(table, way)
        if not self.take(r"=[ \t]*") or last in table:
            raise self.bad()
        table[last] = self.value()

    def value(self):
        found = self.take(r"'([^'\n]*)'")
        if found:
            return found[1]
        found = self.take(r'"((?:[^"\\\n]|\\[btnfr"\\]|\\u[0-9A-Fa-f]{4})*)"')
        if found:
            return json.loads(f'"{found[1]}"', strict=False)
        found = self.take(r"(true|false)\b|([+-]?(?:0|[1-9][0-9]*))(?![0-9.eE_:-])")
        if found:
            return found[1] == "true" if found[1] else int(found[2])
        if self.take(r"\["):
            return self.several("]", lambda all_: all_.append(self.value()), [])
        if self.take(r"\{"):
            return self.several("}", self.pair, {})
        raise self.bad()

    def several(self, end, one, into):
        while self.blank() or not self.take(re.escape(end)):
            one(into)
            self.blank()
            if not self.take(",") and not re.compile(re.escape(end)).match(self.text, self.at):
                raise self.bad()
        return into


def found(pattern, text):
    """The first group of the first match that has one, or all of the match."""
    hit = re.compile(pattern, re.ASCII).search(text)
    if not hit:
        return None
    return hit[1] if hit.re.groups and hit[1] is not None else hit[0]


def offset(text):
    """Minutes east of UTC."""
    shown = re.fullmatch(r"Z|([+-])([0-9]{2}):?([0-9]{2})", text)
    if not shown:
        raise Unable(f"zone {text!r}")
    return 0 if text == "Z" else int(shown[1] + "1") * (int(shown[2]) * 60 + int(shown[3]))


# --- reading CSV by a profile ------------------------------------------------------------------------------------------

class Bad(Exception):
    """A record that cannot be read: the code of the reason."""


PROFILE_KEYS = {
    "": "schema name title source file preamble columns kind status currency amount fee original token footer",
    "file": "encoding delimiter quoted multiline cell_prefix comment header_within final_line_end whole_days zone",
    "preamble": "account from until",
    "kind": "column words begins default", "status": "column words begins default", "currency": "column words default",
    "amount": "column sign direction plus_words minus_words plus minus by_kind decimal thousands unit full_width plus_sign mark",
    "fee": "column sign", "original": "amount currency rate unit base", "footer": "total line end_marker",
}


def lines_of(data):
    """Number, start, bytes and line end of each line."""
    at = number = 0
    for end in re.finditer(rb"\r\n|\r|\n", data):
        number += 1
        yield number, at, data[at : end.start()], end.group()
        at = end.end()
    if at < len(data):
        yield number + 1, at, data[at:], b""


class Column:
    def __init__(self, spec):
        spec = {"name": spec} if isinstance(spec, (str, list)) else spec
        self.names = [spec["name"]] if isinstance(spec["name"], str) else spec["name"]
        self.optional, self.blank = spec.get("optional", False), spec.get("blank", [])
        self.formats = [time_format(text) for text in spec.get("format", [])]

    def find(self, words):
        return next((words.index(name) for name in self.names if name in words), None)


def time_format(text):
    """A format as an expression with named groups."""
    pattern = ""
    for piece in re.findall(r"%-?.|[^%]", text, re.S):
        part = piece[-1]
        if len(piece) == 1:
            pattern += re.escape(piece)
        elif part == "z":
            pattern += r"(?P<z>Z|[+-][0-9]{2}:[0-9]{2}|[+-][0-9]{4})"
        else:
            pattern += f"(?P<{part}>[0-9]{{{'4' if part == 'Y' else '1,2' if '-' in piece else '2'}}})"
    return re.compile(pattern)


def read_time(formats, text, code):
    """Date, second of the day and offset."""
    for one in formats:
        shown = one.fullmatch(text)
        if shown:
            part = {key: value for key, value in shown.groupdict().items()}
            hour, minute, second = (int(part.get(key) or 0) for key in "HMS")
            try:
                date = datetime.date(int(part["Y"]), int(part["m"]), int(part["d"]))
            except ValueError:
                date = None
            if date and hour < 24 and minute < 60 and second <= 60:
                zone = offset(part["z"]) if part.get("z") else None
                if zone is None or abs(zone) < 19 * 60 and (part["z"] == "Z" or int(part["z"][-2:]) < 60):
                    return date, hour * 3600 + minute * 60 + min(second, 59), zone
            else:
                code = "date-impossible"
    raise Bad(code)


class Profile:
    def __init__(self, text):
        spec = toml(text)
        self.text, self.name, self.spec = text, spec["name"], spec
        known = all(not set(spec.get(part, {}) if part else spec) - set(keys.split()) for part, keys in PROFILE_KEYS.items())
        self.plain = known and spec["schema"] == "quanfu.profile/1"
        if not self.plain:
            return
        file, amount = spec.get("file", {}), spec["amount"]
        self.other = {"utf-8": "utf-8", "gb18030": "gb18030", "windows-1252": "cp1252"}[file.get("encoding", "utf-8")]
        self.other_name = file.get("encoding", "utf-8")
        self.delimiter, self.prefix = file.get("delimiter", ","), file.get("cell_prefix")
        self.quoted = file.get("quoted", not self.prefix)
        self.file = file
        columns = {key: Column(value) for key, value in spec["columns"].items() if key != "remittance"}
        self.remittance = [Column(one) for one in spec["columns"].get("remittance", [])]
        self.columns = columns
        self.words = {}
        for part in ("kind", "status", "currency"):
            of = spec.get(part, {})
            turned = [{w: m for m, ws in of.get(k, {}).items() for w in ws} for k in ("words", "begins")]
            column = Column(of["column"]) if "column" in of else None
            self.words[part] = (column, turned[0], sorted(turned[1].items(), key=lambda x: (-len(x[0].encode()), x[0])), of.get("default"))
        self.amounts = {key: Column(amount[key]) for key in ("column", "direction", "plus", "minus") if key in amount}
        self.by_kind = {kind: (Column(one["column"]), one["sign"]) for kind, one in amount.get("by_kind", {}).items()}
        self.fee = (Column(spec["fee"]["column"]), spec["fee"].get("sign", "as_written")) if "fee" in spec else None
        self.original = {key: Column(spec["original"][key]) for key in ("amount", "currency", "rate") if key in spec.get("original", {})}
        self.tokens = [(one["role"], Column(one["column"]), one["pattern"]) for one in spec.get("token", [])]
        footer = spec.get("footer", {})
        self.totals = [(Column(one["column"]), Column(one["of"]) if "of" in one else None) for one in footer.get("total", [])]
        self.footer_lines, self.end_marker = footer.get("line", []), footer.get("end_marker")
        every = list(columns.values()) + self.remittance + list(self.amounts.values()) + list(self.original.values())
        every += [column for column, *_ in self.words.values() if column] + [column for column, _ in self.by_kind.values()]
        every += [self.fee[0]] if self.fee else []
        every += [column for _, column, _ in self.tokens] + [of for _, of in self.totals if of]
        self.every = every

    def split(self, text, words=False):
        """The cells of a line; ValueError where it has none."""
        if self.prefix and not words:
            if not text.startswith(self.prefix):
                raise ValueError
            return [one.strip(WS) for one in text[len(self.prefix):].split(self.delimiter + self.prefix)]
        if not (self.quoted and '"' in text):
            cells = [one.strip(WS) for one in text.split(self.delimiter)]
            return [one[len(self.prefix):] if one.startswith(self.prefix) else one for one in cells] if self.prefix else cells
        cells, at, blanks = [], 0, [c for c in " \t" if c != self.delimiter]
        while True:
            start = at
            while at < len(text) and text[at] in blanks:
                at += 1
            if at == len(text) or text[at] != '"':
                end = text.find(self.delimiter, start)
                cells.append(text[start : end if end >= 0 else None].strip(WS))
                if end < 0:
                    return cells
                at = end + 1
                continue
            inner = re.compile(r'"((?:[^"]|"")*)"', re.S).match(text, at)
            if not inner or text.startswith('"', inner.end()):
                raise ValueError
            cells.append(inner[1].strip(WS).replace('""', '"'))
            at = inner.end()
            while at < len(text) and text[at] in blanks:
                at += 1
            if at == len(text):
                return cells
            if text[at] != self.delimiter:
                raise ValueError
            at += 1

    def header(self, text):
        try:
            words = self.split(text, words=True)
        except ValueError:
            return []
        while words and not words[-1]:
            words.pop()
        return words

    def number(self, text):
        """Sign, whole digits, decimals as written."""
        style = self.spec["amount"]
        mark = style.get("mark")
        if mark and text.startswith(mark):
            text = text[len(mark):].lstrip(WS)
        if style.get("full_width"):
            text = "".join(chr(ord(c) - 0xFEE0) if "\uff01" <= c <= "\uff3f" else c for c in text)
        if not text:
            raise Bad("amount-empty")
        sign = "[+-]?" if style.get("plus_sign") else "-?"
        group = {"none": "", "comma": ",", "point": r"\.", "space": "[ \u00a0\u202f]", "apostrophe": "'"}[style.get("thousands", "none")]
        whole = rf"[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|[0-9]+" if group else "[0-9]+"
        point = "" if style.get("unit") == "minor" else r"(?:%s([0-9]+))?" % (r"\." if style.get("decimal", "point") == "point" else ",")
        shown = re.fullmatch(rf"({sign})({whole}){point}", text)
        if not shown:
            loose = group and re.fullmatch(rf"{sign}[0-9](?:[0-9]|{group})*{point.replace('([0-9]+)', '[0-9]+')}", text)
            raise Bad("amount-grouping" if loose else "amount-malformed")
        minus, digits = shown[1] == "-", re.sub("[^0-9]", "", shown[2])
        decimals = (shown[3] or "") if point else ""
        mantissa = int(digits + decimals.rstrip("0"))
        if mantissa >= 2**128:
            raise Bad("amount-overflow")
        if minus and not mantissa:
            raise Bad("amount-negative-zero")
        return -1 if minus else 1, digits, decimals

    def minor(self, text, digits):
        sign, whole, decimals = self.number(text)
        fine = decimals.rstrip("0")
        if self.spec["amount"].get("unit") == "minor":
            value = int(whole)
        elif len(fine) > digits:
            raise Bad("amount-too-fine")
        else:
            value = int(whole + fine.ljust(digits, "0"))
        if not -(2**63) <= sign * value < 2**63:
            raise Bad("amount-overflow")
        return sign * value


class Entry:
    """A record as a reader gives it."""

    def __init__(self, **parts):
        self.__dict__.update(parts)


def signed(value, sign):
    return {"as_written": value, "negated": -value, "plus": abs(value), "minus": -abs(value)}[sign]


class CsvReader:
    def __init__(self, data, profile):
        data = data[3:] if data.startswith(b"\xef\xbb\xbf") else data
        self.p, self.data = profile, data
        first = data[: 64 * 1024 - 3 if len(data) > 64 * 1024 else None]
        self.encoding = "utf-8" if self.starts_as_utf8(first) else profile.other
        self.sure = self.encoding == profile.other
        self.entries, self.rejected, self.failing = [], [], []
        self.period = self.account = None
        self.ways = {1: [0, 0], -1: [0, 0]}
        self.sums, self.currencies, self.chains = [0] * len(profile.totals), [], {}
        self.read()

    @staticmethod
    def starts_as_utf8(data):
        try:
            data.decode("utf-8")
            return True
        except UnicodeDecodeError as error:
            return error.reason == "unexpected end of data" and len(data) - error.start < 4

    def decode(self, raw):
        try:
            text = raw.decode(self.encoding)
            self.sure = self.sure or not raw.isascii()
            return text
        except UnicodeDecodeError:
            if self.sure:
                return None
        try:
            text = raw.decode(self.p.other)
        except UnicodeDecodeError:
            return None
        self.encoding, self.sure = self.p.other, True
        return text

    def read(self):
        p, words = self.p, None
        lines = lines_of(self.data)
        for number, _, raw, end in lines:
            if number > p.file.get("header_within", 50):
                break
            text = self.decode(raw)
            if text is None:
                continue
            words = p.header(text)
            if all(column.optional or column.find(words) is not None for column in p.every):
                if p.file.get("final_line_end") and not end:
                    raise Unable("the file ends inside its header")
                break
            words = None
            self.preamble(text)
        if words is None:
            raise Lie(f"input: no header of profile {p.name}")
        self.words, self.summary, self.summary_cells, self.footer = words, None, None, []
        self.ended = self.behind_end = self.unended = False
        joins = p.quoted and p.file.get("multiline")
        for number, at, raw, end in lines:
            while joins and raw.count(b'"') % 2:
                following = next(lines, None)
                if following is None:
                    break
                raw, end = self.data[at : following[1] + len(following[2])], following[3]
            self.line(number, raw, end)
        self.tail()

    def preamble(self, text):
        part = self.p.spec.get("preamble", {})
        if "account" in part:
            self.account = found(part["account"], text) or self.account

        def moment(key):
            shown = found(part[key]["pattern"], text) if key in part else None
            try:
                return shown and read_time([time_format(part[key]["format"])], shown.strip(WS), "")
            except Bad:
                return None

        from_, until = moment("from"), moment("until")
        if until:
            back = part["until"].get("exclusive") and until[1] == 0
            until = until[0] - datetime.timedelta(days=1) if back else until[0]
        if from_:
            self.period = (from_[0], until or from_[0])
        elif until and self.period:
            self.period = (self.period[0], until)

    def line(self, number, raw, end):
        p = self.p
        if not raw.strip(b" \t\n\r\x0c" + p.delimiter.encode()):
            return
        self.unended = not end
        text = self.decode(raw)
        if text is None:
            self.behind_end = self.behind_end or self.ended
            self.rejected.append((number, raw, "text-undecodable", len(self.entries)))
            return
        if p.file.get("comment") and text.lstrip(WS).startswith(p.file["comment"]):
            at = next((i for i, one in enumerate(p.footer_lines) if found(one["pattern"], text.strip(WS)) is not None), None)
            if at is not None:
                self.footer.append((at, text.strip(WS)))
            return
        if p.end_marker and text.strip(WS) == p.end_marker:
            self.ended = True
            return
        self.behind_end = self.behind_end or self.ended
        if p.totals and self.is_summary(text):
            return
        try:
            self.entries.append(self.record(number, raw, text, end))
        except Bad as bad:
            self.rejected.append((number, raw, str(bad), len(self.entries)))

    def is_summary(self, text):
        p, first = self.p, self.p.totals[0][0]
        if self.summary is None:
            start = text.lstrip('"\ufeff')
            start = start[len(p.prefix):] if p.prefix and start.startswith(p.prefix) else start
            words = p.header(text) if start.startswith(tuple(first.names)) else []
            if first.find(words) != 0:
                return False
            self.summary = words
        elif self.summary_cells is None:
            try:
                self.summary_cells = p.split(text)
            except ValueError:
                self.summary_cells = []
        else:
            return False
        return True

    def record(self, number, raw, text, end):
        p, width = self.p, len(self.words)
        try:
            cells = p.split(text)
        except ValueError:
            raise Bad("line-malformed") from None
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if len(cells) != width:
            raise Bad("row-width")
        if p.file.get("final_line_end") and not end:
            raise Bad("line-malformed")
        if any(len(one.encode()) > 65536 for one in cells):
            raise Bad("field-too-long")

        def filled(column):
            at = column.find(self.words) if column else None
            return None if at is None or not cells[at] or cells[at] in column.blank else cells[at]

        def worded(part, default, unknown):
            column, words, begins, given = p.words[part]
            shown = filled(column)
            if shown is None:
                return given or default, None
            means = words.get(shown) or next((m for start, m in begins if shown.startswith(start)), None)
            return means or unknown(shown), shown

        def currency_of(column, words, default):
            shown = filled(column)
            if shown is None and not default:
                raise Bad("currency-missing")
            code = default if shown is None else words.get(shown) or ("CNY" if shown in ("CNH", "RMB") else shown)
            if code not in DIGITS:
                raise Bad("currency-unknown")
            return code

        def refuse(code):
            raise Bad(code)

        kind, kind_written = worded("kind", "payment", lambda shown: "other")
        status, _ = worded("status", "booked", lambda shown: refuse("status-unknown"))
        of = p.words["currency"]
        currency = currency_of(of[0], of[1], of[3])
        moments = []
        for key, code in (("time", "time-malformed"), ("value_date", "date-malformed"), ("booking_date", "date-malformed")):
            column = p.columns.get(key)
            shown = filled(column)
            moments.append(read_time(column.formats, shown, code) if shown else None)
        time, value_date, booking_date = moments
        value_date = value_date or time or booking_date
        if not value_date:
            raise Bad("date-malformed")
        digits = DIGITS[currency]
        amount = self.amount(filled, cells, kind, digits)
        if time and time[2] is None and "zone" in p.file:
            time = (time[0], time[1], offset(p.file["zone"]))
        refs = {role: filled(p.columns[role]) for role in ROLES if role in p.columns}
        for role, column, pattern in p.tokens:
            shown = found(pattern, filled(column) or "") if filled(column) else None
            if shown is not None:
                refs[role] = shown
        fee = original = rate = balance = None
        if p.fee and filled(p.fee[0]):
            sign, whole, decimals = p.number(filled(p.fee[0]))
            mantissa, scale = sign * int(whole + decimals), len(decimals)
            if p.spec["amount"].get("unit") == "minor":
                scale += digits
            fee = (signed(mantissa, p.fee[1]), scale)
        if p.original and filled(p.original["amount"]):
            before = currency_of(p.original["currency"], of[1], None)
            value = p.minor(filled(p.original["amount"]), DIGITS[before])
            original = (signed(value, "minus" if amount < 0 else "plus"), before)
            shown = filled(p.original.get("rate"))
            if shown:
                sign, whole, decimals = p.number(shown)
                if sign < 0 or not int(whole + decimals):
                    raise Bad("amount-malformed")
                spec = p.spec["original"]
                base, quote = (before, currency) if spec.get("base", "original") == "original" else (currency, before)
                value = str(int(whole)) + ("." + decimals if decimals else "")
                rate = f"{spec.get('unit', 1)} {base} = {value} {quote}"
        if "balance" in p.columns and filled(p.columns["balance"]):
            balance = p.minor(filled(p.columns["balance"]), digits)
        figures = []
        for _, column in p.totals:
            at = column.find(self.words) if column else None
            figures.append(p.minor(cells[at], 6) if at is not None and cells[at] else 0)
        self.sums = [a + b for a, b in zip(self.sums, figures)]
        self.tally(amount, currency, balance)
        return Entry(line=number, raw=raw, amount=amount, currency=currency, kind=kind, kind_written=kind_written,
                     status=status, reversal=kind == "reversal", value_date=value_date[0], time=time, fee=fee,
                     original=original, rate=rate, refs={r: t for r, t in refs.items() if t},
                     name=filled(p.columns.get("counterparty_name")),
                     remittance=[t for t in map(filled, p.remittance) if t is not None])

    def amount(self, filled, cells, kind, digits):
        p, of = self.p, self.p.amounts

        def required(column):
            shown = filled(column)
            if shown is None:
                raise Bad("amount-empty")
            return p.minor(shown, digits)

        if p.by_kind:
            column, sign = p.by_kind.get(kind, (None, None))
            if column is None or column.find(self.words) is None:
                raise Bad("kind-unknown")
            return signed(required(column), sign)
        if "plus" in of:
            plus, minus = (filled(of[key]) and p.minor(filled(of[key]), digits) for key in ("plus", "minus"))
            if plus is None and minus is None:
                raise Bad("amount-empty")
            if plus and minus or (plus or 0) < 0:
                raise Bad("amount-malformed")
            return plus or -abs(minor_or_zero(minus))
        if "direction" in of:
            word = cells[of["direction"].find(self.words)]
            spec = p.spec["amount"]
            if word not in spec["plus_words"] and word not in spec["minus_words"]:
                raise Bad("side-unknown")
            value = required(of["column"])
            if value < 0:
                raise Bad("amount-malformed")
            return value if word in spec["plus_words"] else -value
        return signed(required(of["column"]), p.spec["amount"].get("sign", "as_written"))

    def tally(self, amount, currency, balance):
        way = self.ways[-1 if amount < 0 else 1]
        way[0] += 1
        way[1] += amount
        if currency not in self.currencies:
            self.currencies.append(currency)
        chain = self.chains.get(currency)
        if chain and balance is None:
            chain["pending"] += amount
        elif balance is not None:
            if chain:
                last_amount, last = chain["last"]
                chain["down"] += last + chain["pending"] + amount != balance
                chain["up"] += balance + chain["pending"] + last_amount != last
                chain.update(last=(amount, balance), pending=0)
            else:
                self.chains[currency] = {"first": (amount, balance), "last": (amount, balance), "pending": 0, "down": 0, "up": 0}

    def tail(self):
        """Which of the file's own figures do not hold: kind and scope."""
        p, fails = self.p, self.failing
        records = len(self.entries) + len(self.rejected)
        single = self.ways[1][0] + self.ways[-1][0] > 1
        for chain in self.chains.values():
            if min(chain["down"], chain["up"]) and not (chain["first"] == chain["last"] and single):
                fails.append(("running_balance", ""))
        for index, (column, of) in enumerate(p.totals):
            at = column.find(self.summary) if self.summary and self.summary_cells is not None else None
            if at is None:
                continue
            shown = self.summary_cells[at] if at < len(self.summary_cells) else ""
            if of is None:
                if count_of(shown) != records:
                    fails.append(("control_count", self.summary[at]))
                continue
            declared, total = self.figure(shown), self.sums[index]
            if declared is None or total % 10 ** (6 - declared[1]) == 0 and declared[0] != total:
                fails.append(("control_sum", self.summary[at]))
        for at, text in self.footer:
            hit = re.compile(p.footer_lines[at]["pattern"], re.ASCII).search(text)
            groups, of = [one for one in hit.groups() if one is not None], p.footer_lines[at]["of"]
            ways = [self.ways[1]] if of == "plus" else [self.ways[-1]] if of == "minus" else list(self.ways.values())
            declared = count_of(groups[0]) if groups else None
            if declared is None:
                continue
            if declared != sum(way[0] for way in ways):
                fails.append(("control_count", of))
            figure = self.figure(groups[1]) if len(groups) > 1 else None
            if figure and len(self.currencies) == 1:
                total = sum(way[1] for way in ways) * 10 ** (6 - DIGITS[self.currencies[0]])
                if (abs(figure[0]), abs(total)) [0] != abs(total) if of == "minus" else figure[0] != total:
                    fails.append(("control_sum", of))
        if p.end_marker:
            if not self.ended or self.behind_end:
                fails.append(("end_marker", ""))
        elif p.totals:
            if not self.summary or len(self.summary_cells or []) < len(self.summary):
                fails.append(("end_marker", ""))
        elif len({at for at, _ in self.footer}) < len(p.footer_lines):
            fails.append(("end_marker", ""))

    def figure(self, text):
        try:
            return self.p.minor(text.strip(WS), 6), len(self.p.number(text.strip(WS))[2])
        except Bad:
            return None

    def identity(self):
        if self.p.file.get("whole_days") and self.entries:
            days = [entry.time[0] if entry.time else entry.value_date for entry in self.entries]
            whose = sorted({entry.refs["merchant"] for entry in self.entries if "merchant" in entry.refs}, key=str.encode)
            return f"{self.p.name} {','.join(whose)} {min(days)}..{max(days)}"
        if self.period and self.account:
            return f"{self.p.name} {self.account} {self.period[0]}..{self.period[1]}"
        return ""


def minor_or_zero(value):
    return value or 0


def count_of(text):
    shown = re.fullmatch(r"([0-9]+)(?:\.0+)?", text.strip(WS))
    return int(shown[1]) if shown else None
