"""The network: model, training, evaluation, and what explains an answer."""
