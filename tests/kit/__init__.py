"""What tests of several rooms stand on, each thing once."""
