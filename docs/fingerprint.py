"""Checks a fingerprint without cdvault; it shares no code with it. Standard library only.

  python3 fingerprint.py < mine.json                                   the root follows from the leaves
  python3 fingerprint.py http://user:password@host:9000 < mine.json    and the leaves from the stored rows
"""
import base64, csv, hashlib, io, json, sys, time, urllib.error, urllib.parse, urllib.request

def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()

doc, wrong = json.load(sys.stdin), []
level = [sha(b"\0", " ".join(map(str, (doc["format"], doc["market"], doc["symbol"], leaf["hour"], leaf["rows"],
                                       leaf["contentHash"]))).encode()) for leaf in doc["leaves"]]
while len(level) > 1:
    pairs = [level[at:at + 2] for at in range(0, len(level), 2)]
    level = [sha(b"\1", *pair) if len(pair) == 2 else pair[0] for pair in pairs]
if level[0].hex() != doc["root"]: wrong.append("root")

if len(sys.argv) > 1:
    url = urllib.parse.urlsplit(sys.argv[1])
    user = urllib.parse.unquote(f"{url.username or ''}:{url.password or ''}").encode()
    def ask(query):
        request = urllib.request.Request(f"{url.scheme}://{url.hostname}:{url.port or 9000}/exp?{urllib.parse.urlencode({'query': query})}",
                                         headers={"Authorization": f"Basic {base64.b64encode(user).decode()}"})
        while True:
            try: answer = urllib.request.urlopen(request)
            except urllib.error.HTTPError as error:
                if error.code != 429: raise
                time.sleep(1)  # QuestDB sends two exports at a time
            else: break
        rows = csv.reader(io.TextIOWrapper(answer, "utf-8"))
        next(rows)  # names of columns
        return rows
    [[table]] = ask(f"select trades_table from series where market = '{doc['market']}' and symbol = '{doc['symbol']}'")
    rows = ask(f"select agg_id, price, qty, first_id, last_id, ts::long, is_buyer_maker from {table} where first_id <> -2 "
               f"and ts >= dateadd('d', -1, '{doc['from']}'::timestamp) and ts < dateadd('d', 1, '{doc['to']}'::timestamp) order by agg_id")
    hashes, latest = {leaf["hour"]: [0, hashlib.sha256()] for leaf in doc["leaves"]}, 0
    for a, p, q, f, l, t, m in rows:
        latest = max(latest, int(t) // 3_600_000_000)  # a row belongs to the latest hour that any id before it has reached
        entry = hashes.get(time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(latest * 3600)))
        if entry:
            entry[0] += 1
            entry[1].update(f"{a},{int(p.replace('.', ''))},{int(q.replace('.', ''))},{f},{l},{t},{int(m == 'true')}\n".encode())
    wrong += [leaf["hour"] for leaf in doc["leaves"] if hashes[leaf["hour"]][0] != leaf["rows"]
              or hashes[leaf["hour"]][1].hexdigest() != leaf["contentHash"]]

if wrong: sys.exit(f"differs: {', '.join(wrong)}")
print(f"holds: {doc['root']}")
