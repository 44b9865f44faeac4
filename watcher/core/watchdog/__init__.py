"""What did not happen, and what is about to break: each rule a pure function of facts, `now` and limits."""
