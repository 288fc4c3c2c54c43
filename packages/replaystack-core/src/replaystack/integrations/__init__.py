"""What is captured of other libraries, a module each; import the one whose library is installed."""
