__version__: str  # of the distribution that this module was built from

def contract_version() -> int: ...  # compared with core's own before core trusts this module
