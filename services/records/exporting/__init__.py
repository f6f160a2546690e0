"""A patient's record in every form that it is handed over in, each item under one id in all."""
