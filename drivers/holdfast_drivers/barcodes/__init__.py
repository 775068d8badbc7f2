"""What a barcode's text means. Pure: no I/O, no clock, no device."""
