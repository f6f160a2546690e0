"""The gateway: the pages people see, made of what the services answer. It keeps nothing."""
