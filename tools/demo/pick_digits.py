"""Writes digits.json, the images that the demo sends. Needs scikit-learn: `.venv/bin/python -m tools.demo.pick_digits`.

They are scans from scikit-learn's set that examples/02-digits-seldon holds back from its training: the first of each
digit, and the first that a logistic regression gets wrong and a support vector machine right.
"""

import json
import sys
from typing import Any

from sklearn import (  # type: ignore[import-untyped] # ships no types
    datasets,
    linear_model,
    model_selection,
    pipeline,
    preprocessing,
    svm,
)

from tools.demo.digits import FILE


def pick() -> list[dict[str, Any]]:
    """The images, as label and 64 grey values from 0 to 16."""
    images, labels = datasets.load_digits(return_X_y=True)
    # The same split and classifiers as in the example.
    split = model_selection.train_test_split(images, labels, test_size=0.3, random_state=7, stratify=labels)
    train_x, test_x, train_y, test_y = split
    logistic = linear_model.LogisticRegression(C=0.05, max_iter=500)
    first = pipeline.make_pipeline(preprocessing.StandardScaler(), logistic).fit(train_x, train_y)
    second = svm.SVC(gamma=0.001, C=10.0).fit(train_x, train_y)
    is_hard = (first.predict(test_x) != test_y) & (second.predict(test_x) == test_y)
    indices = [int((test_y == digit).argmax()) for digit in range(10)] + [int(is_hard.argmax())]
    return [{"label": int(test_y[index]), "pixels": [int(grey) for grey in test_x[index]]} for index in indices]


def main() -> int:
    """Writes the file."""
    lines = ",\n".join(json.dumps(item) for item in pick())
    FILE.write_text(f"[\n{lines}\n]\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
