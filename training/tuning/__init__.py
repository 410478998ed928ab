"""Hyperparameter tuning with Optuna: many short runs find fields for a long one.

Knows runs as `training.run` offers them.

A study is a folder and an entry in a storage, which several processes may share; a trial is a run.
"""
