"""The encoders of sections 5.2 and 5.3 and appendix E: fine-tuned, recorded, ablated."""
