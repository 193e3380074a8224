//! What every target does with its bytes: open, and copy whatever can be copied.

use opnorm::io::Checkpoint;

/// Errors are fine, and a panic, an overflow or a great allocation is not.
pub fn read_everything(name: &str, bytes: &[u8]) {
    let checkpoint = match Checkpoint::from_bytes(name, bytes.to_vec()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    for entry in checkpoint.entries() {
        assert!(checkpoint.find(&entry.name).is_some());
        if let Ok(entries) = checkpoint.read_sparse(entry) {
            assert!(entries.iter().all(|(row, col, _)| row < entry.shape[0] && col < entry.shape[1]));
        }
        let Ok(view) = checkpoint.read(entry) else { continue };
        assert!(entry.skipped().is_none());
        let elements = entry.elements();
        if entry.element.is_complex() {
            view.copy_complex(0, &mut vec![[0.0; 2]; elements]).expect("the whole tensor is in range");
            continue;
        }
        view.copy_f32(0, &mut vec![0.0; elements])
            .expect("the whole tensor is in range");
        view.copy_f64(elements / 2, &mut vec![0.0; elements - elements / 2])
            .expect("its second half is in range");
        let _ = view.copy_half_bits(0, &mut vec![0; elements]);
        assert!(view.copy_f32(elements, &mut [0.0]).is_err());
    }
}
