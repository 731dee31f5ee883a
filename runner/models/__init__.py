from runner.models.checks import RecreationCheck
from runner.models.jobs import Job, JobOutput, Sweep
from runner.models.recipes import Environment, Recipe, RecipeInput, Template
from runner.models.workers import Admission, RunnerRules, Secret, Worker

__all__ = [
    "Admission",
    "Environment",
    "Job",
    "JobOutput",
    "Recipe",
    "RecipeInput",
    "RecreationCheck",
    "RunnerRules",
    "Secret",
    "Sweep",
    "Template",
    "Worker",
]
