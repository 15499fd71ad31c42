"""Run a query with psycopg and fetch all rows: python reader.py URL QUERY RUNS

Prints the milliseconds of each run, without a first run, which also compiles the query.
"""

import json
import sys
import time

import psycopg

url, query, runs = sys.argv[1:]
took_ms = []
with psycopg.connect(url, autocommit=True) as connection:
    for _ in range(int(runs) + 1):
        started_s = time.perf_counter()
        rows = connection.execute(query).fetchall()
        took_ms.append((time.perf_counter() - started_s) * 1000)
print(json.dumps({"rows": len(rows), "ms": took_ms[1:]}))
