"""What one run holds, in one statement of fixed shape: clients ask for a run after each thing that they did with it."""

import math
from typing import Final

from audit.ledger.inserting import compiling_cursor
from experiments.search.rows import LatestMetric, RunData, load_run_data

_METRIC, _PARAM, _TAG, _INPUT = range(4)
# Inputs are looked for here and read in a statement of their own: most runs have none, and they are eight columns wide.
_HELD: Final = f"""
    SELECT {_METRIC}, context, key, '', last_value, last_step, last_ms FROM experiments_metricseries WHERE run_id = %s
    UNION ALL SELECT {_PARAM}, '', key, value, NULL, NULL, NULL FROM experiments_param WHERE run_id = %s
    UNION ALL SELECT {_TAG}, '', key, value, NULL, NULL, NULL FROM experiments_runtag WHERE run_id = %s
    UNION ALL SELECT {_INPUT}, '', '', '', NULL, NULL, NULL FROM experiments_runinput WHERE run_id = %s
"""  # noqa: S608 - numbers of our own


def data_of_run(run_id: int) -> RunData:
    """Latest metrics, params, tags and inputs of a run that was read for the viewer, each sorted by key."""
    with compiling_cursor() as cursor:
        cursor.execute(_HELD, [run_id] * 4)
        rows = cursor.fetchall()
    metrics, params, tags, has_inputs = [], [], [], False
    for kind, context, key, value, last, step, ms in rows:
        if kind == _METRIC:
            metrics.append((context, key, math.nan if last is None else last, step, ms))
        elif kind == _PARAM:
            params.append((key, value))
        elif kind == _TAG:
            tags.append((key, value))
        else:
            has_inputs = True
    named = [LatestMetric(f"{context}/{key}" if context else key, *rest) for context, key, *rest in sorted(metrics)]
    inputs = load_run_data([run_id])[run_id].inputs if has_inputs else []
    return RunData(named, sorted(params), sorted(tags), inputs)
