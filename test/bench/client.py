"""Load an archive file into QuestDB with QuestDB's client: python client.py FILE TABLE SYMBOL CONFIGURATION

The columns are those of agg_trades; prices and quantities are decimals made from the digits in the
file. Nothing checks whether a trade is missing from the file, or was not stored.
"""

import json
import sys

import pandas as pd
import pyarrow as pa
from questdb import Sender

file, table, symbol, configuration = sys.argv[1:]
trades = pd.read_csv(
    file,
    engine="c",
    header=None,
    usecols=range(7),
    names=["agg_id", "price", "qty", "first_id", "last_id", "ts", "is_buyer_maker", "best_match"],
    dtype={
        "agg_id": "int64",
        "price": "string[pyarrow]",
        "qty": "string[pyarrow]",
        "first_id": "int64",
        "last_id": "int64",
        "ts": "int64",
        "is_buyer_maker": "bool",
    },
)
for column, precision in (("price", 18), ("qty", 28)):
    digits = pa.array(trades[column]).cast(pa.decimal128(precision, 8))
    trades[column] = pd.Series(pd.arrays.ArrowExtensionArray(digits))
trades["ts"] = trades["ts"].astype("datetime64[ms]").astype("datetime64[ns]")
for column, text in (("market", "binance_spot"), ("symbol", symbol)):
    trades[column] = pd.Categorical.from_codes([0] * len(trades), [text])
with Sender.from_conf(configuration) as sender:
    sender.dataframe(trades, table_name=table, symbols=["market", "symbol"], at="ts")
print(json.dumps({"rows": len(trades)}))
