d-i x
