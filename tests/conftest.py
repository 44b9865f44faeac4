"""What all tests share."""

from hypothesis import settings

settings.register_profile("house", deadline=None)  # what is slow is seen in benchmarks; machines here are noisy
settings.load_profile("house")
