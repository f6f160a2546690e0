"""The notifier owns every e-mail: its words, its sending, its retries and its bounces."""
