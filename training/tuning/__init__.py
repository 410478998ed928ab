"""Hyperparameter tuning with Optuna: many short runs find fields for a long one.

A study is a folder and an entry in a storage, which several processes may share; a trial is a run
as `training.run` offers it.
"""
