memory = 1
