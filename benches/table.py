#!/usr/bin/env python3
"""Key runs beside DuckDB and Polars, in alternation, as a table for the docs.

usage: python3 benches/table.py [ROWS ...]        (rows a side; default 100000 1000000)
needs: cargo build --release; DuckDB and Polars where their Python modules are installed (else they are left out)
env:   ROUNDS (default 5), FOLDER for the files (default: a temporary one)

The data is made up from a seed: payments of an institution and a bank's lines for them, with amounts that differ,
rows on one side only, duplicates, refunds and lines without a reference. All engines must print the same totals.
"""
import os, platform, random, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
DIGITS = {"CNY": 2, "USD": 2, "EUR": 2, "HKD": 2, "JPY": 0, "KWD": 3}


def make(folder, rows, seed=20170125):
    """Writes institution.csv and bank.csv."""
    dice = random.Random(seed)
    currencies = dice.choices(list(DIGITS), [40, 30, 10, 8, 10, 2], k=4096)
    with open(f"{folder}/institution.csv", "w") as left, open(f"{folder}/bank.csv", "w") as right:
        left.write("payment_id,merchant_order_id,channel_ref,completed_at,currency,gross_amount,fee,net_amount,status,merchant_id\n")
        right.write("bank_serial,channel_ref,value_date,currency,amount,direction,remark\n")
        for n in range(rows):
            luck, key, currency = dice.random(), dice.getrandbits(60), currencies[n & 4095]
            minor, digits = int(2 ** dice.uniform(7, 22)), DIGITS[currency]
            paid = minor - minor * 6 // 1000 if luck < 0.01 else minor
            text = [f"{m // 10**digits}.{m % 10**digits:0{digits}d}" if digits else str(m) for m in (minor, paid)]
            day, clock = 2 + n * 7 // rows, f"{dice.randrange(24):02d}:{dice.randrange(60):02d}:{dice.randrange(60):02d}"
            back = 0.01 <= luck < 0.012
            line = f"O{key:018x},qf{key:x},2026-03-{day:02d}T{clock}+08:00,{currency},{text[0]},0,{text[0]},{'REFUND' if back else 'SUCCESS'},M{n % 997:07d}\n"
            if not 0.02 <= luck < 0.023:
                left.write(f"P{n:022d},{line}")
            if 0.03 <= luck < 0.031:
                left.write(f"P9{n:021d},{line}")
            if not 0.04 <= luck < 0.043:
                reference = "" if 0.05 <= luck < 0.055 else f"ICBC/{key:020X}"
                right.write(f"B{n:015d},{reference},2026-03-{day:02d},{currency},{text[1]},{'D' if back else 'C'},cross-border receipt M{n % 997:07d}\n")


DUCKDB = """
import sys, duckdb
inst, bank, out = sys.argv[1:4]
con = duckdb.connect()
con.execute("SET threads=2; SET preserve_insertion_order=false")
con.execute(f"CREATE VIEW i AS SELECT ltrim(upper(substr(channel_ref, 3)), '0') k, currency c, payment_id p, CASE WHEN status = 'REFUND' THEN -gross_amount ELSE gross_amount END a FROM read_csv('{inst}', header=true, auto_detect=false, columns={{'payment_id':'VARCHAR','merchant_order_id':'VARCHAR','channel_ref':'VARCHAR','completed_at':'VARCHAR','currency':'VARCHAR','gross_amount':'DECIMAL(18,3)','fee':'VARCHAR','net_amount':'VARCHAR','status':'VARCHAR','merchant_id':'VARCHAR'}})")
con.execute(f"CREATE VIEW b AS SELECT coalesce(ltrim(upper(substr(channel_ref, 6)), '0'), '') k, currency c, bank_serial s, CASE WHEN direction = 'D' THEN -amount ELSE amount END a FROM read_csv('{bank}', header=true, auto_detect=false, columns={{'bank_serial':'VARCHAR','channel_ref':'VARCHAR','value_date':'DATE','currency':'VARCHAR','amount':'DECIMAL(18,3)','direction':'VARCHAR','remark':'VARCHAR'}})")
con.execute('''CREATE TEMP TABLE r AS SELECT CASE WHEN ni > 1 OR nb > 1 THEN 'duplicate' WHEN nb = 0 THEN 'inst_only' WHEN ni = 0 THEN 'bank_only' WHEN ia = ba THEN 'matched' ELSE 'amount_diff' END class, k, c, p, s, ni, nb, ia, ba
  FROM (SELECT k, c, min(p) p, min(s) s, count(p) ni, count(s) nb, sum(ia) ia, sum(ba) ba FROM (SELECT k, c, p, NULL::VARCHAR s, a ia, NULL::DECIMAL(18,3) ba FROM i UNION ALL SELECT k, c, NULL, s, NULL, a FROM b WHERE k <> '') GROUP BY k, c)
  UNION ALL SELECT 'no_ref', '', c, NULL, s, 0, 1, NULL, a FROM b WHERE k = '' ''')
con.execute(f"COPY r TO '{out}' (HEADER, DELIMITER ',')")
for row in con.execute("SELECT class, c, count(*), coalesce(sum(ia), 0)::DECIMAL(38,3), coalesce(sum(ba), 0)::DECIMAL(38,3) FROM r GROUP BY 1, 2 ORDER BY 1, 2").fetchall():
    print(*row, sep=",")
"""

POLARS = """
import sys, polars as pl
inst, bank, out = sys.argv[1:4]
money = pl.Decimal(18, 3)
i = pl.scan_csv(inst, schema_overrides={"gross_amount": money}).select(
    k=pl.col("channel_ref").str.slice(2).str.to_uppercase().str.strip_chars_start("0"), c="currency", p="payment_id",
    ia=pl.when(pl.col("status") == "REFUND").then(-pl.col("gross_amount")).otherwise(pl.col("gross_amount")))
b = pl.scan_csv(bank, schema_overrides={"amount": money}).select(
    k=pl.col("channel_ref").str.slice(5).str.to_uppercase().str.strip_chars_start("0").fill_null(""), c="currency", s="bank_serial",
    ba=pl.when(pl.col("direction") == "D").then(-pl.col("amount")).otherwise(pl.col("amount")))
rows = pl.concat([i.with_columns(s=pl.lit(None, pl.String), ba=pl.lit(None, money)), b.filter(pl.col("k") != "").select("k", "c", s="s", ba="ba").with_columns(p=pl.lit(None, pl.String), ia=pl.lit(None, money)).select("k", "c", "p", "ia", "s", "ba")])
g = rows.group_by("k", "c").agg(pl.col("p").min(), pl.col("s").min(), ni=pl.col("p").count(), nb=pl.col("s").count(), ia=pl.col("ia").sum(), ba=pl.col("ba").sum())
cls = pl.when((pl.col("ni") > 1) | (pl.col("nb") > 1)).then(pl.lit("duplicate")).when(pl.col("nb") == 0).then(pl.lit("inst_only")).when(pl.col("ni") == 0).then(pl.lit("bank_only")).when(pl.col("ia") == pl.col("ba")).then(pl.lit("matched")).otherwise(pl.lit("amount_diff"))
none = b.filter(pl.col("k") == "").select(pl.lit("no_ref").alias("cls"), "k", "c", pl.lit(None, pl.String).alias("p"), "s", pl.lit(0, pl.UInt32).alias("ni"), pl.lit(1, pl.UInt32).alias("nb"), pl.lit(0).cast(money).alias("ia"), "ba")
r = pl.concat([g.select(cls.alias("cls"), "k", "c", "p", "s", pl.col("ni").cast(pl.UInt32), pl.col("nb").cast(pl.UInt32), pl.col("ia").cast(money), pl.col("ba").cast(money)), none]).collect(engine="streaming")
r.write_csv(out)
for row in r.group_by("cls", "c").agg(n=pl.len(), l=pl.col("ia").sum(), r=pl.col("ba").sum()).sort("cls", "c").iter_rows():
    print(row[0], row[1], row[2], f"{row[3]:.3f}", f"{row[4]:.3f}", sep=",")
"""


def engines(folder):
    inst, bank = f"{folder}/institution.csv", f"{folder}/bank.csv"
    target = os.environ.get("CARGO_TARGET_DIR", f"{ROOT}/target")
    found = {"quanfu": [f"{target}/release/quanfu", "recon", "-q", "--rules", f"{HERE}/base-pass.toml", "--profile", f"{HERE}/profiles/base-institution.toml",
                        "--profile", f"{HERE}/profiles/base-bank.toml", f"inst={inst}", f"bank={bank}", "-o", f"groups:{folder}/q.csv", "-o", f"{folder}/q.json"]}
    if not os.path.exists(found["quanfu"][0]):
        sys.exit(f"{found['quanfu'][0]} is not there: cargo build --release")
    for name, program in [("duckdb", DUCKDB), ("polars", POLARS)]:
        if subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True).returncode == 0:
            found[name] = [sys.executable, "-c", program, inst, bank, f"{folder}/{name}.csv"]
        else:
            print(f"{name}: left out, its Python module is not installed", file=sys.stderr)
    return found


def once(command):
    """Wall seconds, processor seconds, peak MiB and what was printed."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out)
        _, _, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        out.seek(0)
        return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, out.read()


def machine():
    try:
        lines = open("/proc/cpuinfo").read().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


def main():
    rounds = int(os.environ.get("ROUNDS", "5"))
    print(f"{machine()}; {rounds} rounds in alternation, medians\n")
    print("| rows a side | engine | wall s | cpu s | peak MiB | quanfu is faster by |\n|---|---|---|---|---|---|")
    for rows in [int(argument) for argument in sys.argv[1:]] or [100_000, 1_000_000]:
        with tempfile.TemporaryDirectory(dir=os.environ.get("FOLDER")) as folder:
            make(folder, rows)
            commands = engines(folder)
            runs, said = {name: [] for name in commands}, {}
            for turn in range(rounds + 1):
                for name, command in commands.items():
                    *figures, printed = once(command)
                    said[name] = sorted(printed.decode().split())
                    if turn:
                        runs[name].append(figures)
            wrong = [name for name in said if said[name] != said["quanfu"]]
            if wrong:
                sys.exit(f"totals differ: {', '.join(wrong)}")
            middle = {name: [statistics.median(column) for column in zip(*figures)] for name, figures in runs.items()}
            for name, (wall, cpu, peak) in middle.items():
                ours = "" if name == "quanfu" else f"{wall / middle['quanfu'][0]:.1f} wall, {cpu / middle['quanfu'][1]:.1f} cpu"
                print(f"| {rows:,} | {name} | {wall:.2f} | {cpu:.2f} | {peak:,.0f} | {ours} |", flush=True)


main()
