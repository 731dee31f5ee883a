"""How much one filter may ask for. Beyond, the answer is an error that names the limit, never a slow query."""

MAX_TEXT = 65_536  # characters of a filter: room for 1,000 run ids in one list
MAX_TERMS = 100  # conditions, each a subquery
MAX_DEPTH = 25  # nested parentheses and NOTs
MAX_LIST = 1_000  # values in one IN list
MAX_PATTERN = 500  # characters of a LIKE pattern
MAX_KEY = 500  # characters of a key
MAX_ORDER_KEYS = 8  # keys to sort by
MAX_PAGE = 50_000  # runs in one page
COUNT_STOP = 10_000  # where counting ends: "10,000+"
TEXT_INDEX_LENGTH = 200  # params and tags are indexed by the first so many characters and rechecked in full
FEW = 1_000  # so many matches are few: a search starts from their list
MANY = 2_000  # so many are too many to list, whatever walking the order would cost
SHARED = 10_000  # so many runs with one value are walked by their starts, instead of sorted
PLANNED = 3  # so many conditions without an index are left to PostgreSQL's planner, which joins them in any order
MAX_PROBES = 8  # conditions that are looked at beforehand
NAMED_EXPERIMENTS = 200  # so many experiments are named in an index search; among more, each run is probed
MAX_MERGED = 50  # experiments or projects whose orders SQLite merges; more are sorted together
MAX_MERGED_TEXT = 100_000  # characters and values of SQL that merging may come to
