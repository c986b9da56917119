"""What checklists are made of: evidence of a plan or a state, the facts that rules judge, points and remarks."""
