"""Start the trainer: `python train.py`, with MLED_PARAMS, MLED_INPUTS, MLED_OUTPUT and MLED_SEED around it."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # it works by one thread, and needs no others

from trainer.main import main  # type: ignore[import-not-found]  # noqa: E402  # after the threads are limited

if __name__ == "__main__":
    main()
