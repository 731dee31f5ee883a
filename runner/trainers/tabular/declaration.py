"""What this trainer is called, takes and is given: plain values, which the server reads and the trainer itself too."""

from typing import Any

TITLE = "Classification and regression on a table"
DESCRIPTION = (
    "Learns one column of a dataset from the others, with scikit-learn: linear models, random forests, gradient "
    "boosting and neural networks. CSV, TSV or Parquet files; missing values and words in columns are looked after."
)
WORDS = ("python", "train.py")
DETERMINISM = "everything that is drawn follows from the seed, on a given number of threads"
COLUMNS = {"target": "train", "ignore": "train"}
INPUTS: list[dict[str, Any]] = [
    {"name": "train", "title": "Training data", "words": "The table to learn from.", "context": "train"},
    {
        "name": "eval",
        "title": "Evaluation data",
        "words": "A table of the same columns to be judged by. Without one a share of the training data is held back.",
        "context": "eval",
        "required": False,
    },
]
SCHEMA: list[dict[str, Any]] = [
    {
        "name": "target",
        "type": "text",
        "required": True,
        "words": "The column to be learned, by its name in the first line of the files.",
        "group": "Task",
    },
    {
        "name": "task",
        "type": "choice",
        "choices": ["auto", "classification", "regression"],
        "default": "auto",
        "words": "By itself: words, true or false, and up to 20 different whole numbers are classes.",
        "group": "Task",
    },
    {
        "name": "model",
        "type": "choice",
        "choices": ["linear", "random_forest", "boosting", "mlp"],
        "default": "boosting",
        "words": "linear: logistic or linear regression; boosting: gradient boosted trees; mlp: a neural network.",
        "group": "Model",
    },
    {
        "name": "epochs",
        "type": "integer",
        "default": 40,
        "least": 1,
        "most": 5000,
        "words": "Passes over the data (linear, mlp), rounds (boosting) or trees (random_forest).",
        "group": "Model",
    },
    {
        "name": "lr",
        "type": "number",
        "default": 0.05,
        "least": 1e-6,
        "most": 1,
        "scale": "log",
        "words": "How far each step goes. A random forest has none.",
        "group": "Model",
    },
    {
        "name": "depth",
        "type": "integer",
        "default": 6,
        "least": 0,
        "most": 64,
        "words": "Of a tree; 0: as deep as it takes.",
        "group": "Model",
    },
    {
        "name": "l2",
        "type": "number",
        "default": 0.0001,
        "least": 0,
        "most": 1000,
        "words": "How strongly large weights are held down.",
        "group": "Model",
    },
    {
        "name": "hidden",
        "type": "text",
        "default": "64,32",
        "words": "Of a neural network: the sizes of its hidden layers.",
        "group": "Model",
    },
    {
        "name": "batch",
        "type": "integer",
        "default": 64,
        "least": 1,
        "most": 100000,
        "unit": "rows",
        "words": "Of a neural network: how many rows a step takes.",
        "group": "Model",
    },
    {
        "name": "balanced",
        "type": "flag",
        "default": False,
        "words": "Rare classes weigh as much as frequent ones.",
        "group": "Model",
    },
    {
        "name": "holdout",
        "type": "number",
        "default": 0.2,
        "least": 0.01,
        "most": 0.9,
        "words": "The share of rows held back to be judged by, where there is no evaluation data.",
        "group": "Data",
    },
    {
        "name": "train_files",
        "type": "text",
        "default": "",
        "words": "Which files to learn from, as in train*.csv, where not all of them.",
        "group": "Data",
    },
    {
        "name": "eval_files",
        "type": "text",
        "default": "",
        "words": "Which files to be judged by, as in test*.csv: of the evaluation data, else of the training data.",
        "group": "Data",
    },
    {
        "name": "ignore",
        "type": "text",
        "default": "",
        "words": "Columns that are not learned from, with commas between: ids, names, what would give the answer away.",
        "group": "Data",
    },
]
