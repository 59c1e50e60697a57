/*
 * int ff_copy(void *target, const void *source, size_t bytes)
 *
 * A copy between a ring and the application's memory that survives a bad pointer: 0 when all was copied, 1 when a byte could not be
 * touched, where the kernel's own calls answer EFAULT. A leaf that leaves the stack alone, so that the handler in faults.c need only
 * look at the instruction pointer and move it to ff_copy_fault. The two sides never overlap. A fault whose signal is blocked would end the
 * process: where it may be, ff_copy_guarded (faults.c) lets it through for the while.
 *
 * int ff_copy_returned(struct pollfd *target, const struct pollfd *source, size_t count)
 *
 * Likewise, but copies revents alone of each entry, which is all that poll(2) writes.
 */
        .text
        .hidden ff_copy_guarded, ff_copy_returned_guarded, ff_thread_state
        .globl  ff_copy, ff_copy_returned, ff_copy_fault
        .hidden ff_copy, ff_copy_returned, ff_copy_fault
        .type   ff_copy, @function
        .p2align 5
ff_copy:
        .cfi_startproc
        movq    ff_thread_state@gottpoff(%rip), %rax
        cmpl    $1, %fs:48(%rax)
        jne     ff_copy_guarded
        cmpq    $16, %rdx
        jb      .Lunder16
        cmpq    $32, %rdx
        ja      .Lover32
        movups  (%rsi), %xmm0
        movups  -16(%rsi,%rdx), %xmm1
        movups  %xmm0, (%rdi)
        movups  %xmm1, -16(%rdi,%rdx)
        xorl    %eax, %eax
        ret
.Lover32:
        cmpq    $64, %rdx
        ja      .Lover64
        movups  (%rsi), %xmm0
        movups  16(%rsi), %xmm1
        movups  -32(%rsi,%rdx), %xmm2
        movups  -16(%rsi,%rdx), %xmm3
        movups  %xmm0, (%rdi)
        movups  %xmm1, 16(%rdi)
        movups  %xmm2, -32(%rdi,%rdx)
        movups  %xmm3, -16(%rdi,%rdx)
        xorl    %eax, %eax
        ret
.Lover64:
        cmpq    $2048, %rdx
        jae     .Llong
        movups  -64(%rsi,%rdx), %xmm4
        movups  -48(%rsi,%rdx), %xmm5
        movups  -32(%rsi,%rdx), %xmm6
        movups  -16(%rsi,%rdx), %xmm7
        leaq    -64(%rdi,%rdx), %rcx
        .p2align 4
1:      movups  (%rsi), %xmm0
        movups  16(%rsi), %xmm1
        movups  32(%rsi), %xmm2
        movups  48(%rsi), %xmm3
        movups  %xmm0, (%rdi)
        movups  %xmm1, 16(%rdi)
        movups  %xmm2, 32(%rdi)
        movups  %xmm3, 48(%rdi)
        addq    $64, %rsi
        addq    $64, %rdi
        cmpq    %rcx, %rdi
        jb      1b
        movups  %xmm4, (%rcx)
        movups  %xmm5, 16(%rcx)
        movups  %xmm6, 32(%rcx)
        movups  %xmm7, 48(%rcx)
        xorl    %eax, %eax
        ret
.Llong:
        movq    %rdx, %rcx
        rep movsb
        xorl    %eax, %eax
        ret
.Lunder16:
        testb   $8, %dl
        jz      2f
        movq    (%rsi), %rax
        movq    -8(%rsi,%rdx), %rcx
        movq    %rax, (%rdi)
        movq    %rcx, -8(%rdi,%rdx)
        xorl    %eax, %eax
        ret
2:      testb   $4, %dl
        jz      3f
        movl    (%rsi), %eax
        movl    -4(%rsi,%rdx), %ecx
        movl    %eax, (%rdi)
        movl    %ecx, -4(%rdi,%rdx)
        xorl    %eax, %eax
        ret
3:      testb   $2, %dl
        jz      4f
        movzwl  (%rsi), %eax
        movzwl  -2(%rsi,%rdx), %ecx
        movw    %ax, (%rdi)
        movw    %cx, -2(%rdi,%rdx)
        xorl    %eax, %eax
        ret
4:      testq   %rdx, %rdx
        jz      5f
        movb    (%rsi), %al
        movb    %al, (%rdi)
5:      xorl    %eax, %eax
        ret
        .size   ff_copy, . - ff_copy
        .type   ff_copy_returned, @function
        .p2align 4
ff_copy_returned:
        movq    ff_thread_state@gottpoff(%rip), %rax
        cmpl    $1, %fs:48(%rax)
        jne     ff_copy_returned_guarded
        testq   %rdx, %rdx
        jz      2f
1:      movzwl  6(%rsi), %eax
        movw    %ax, 6(%rdi)
        addq    $8, %rsi
        addq    $8, %rdi
        decq    %rdx
        jnz     1b
2:      xorl    %eax, %eax
        ret
        .size   ff_copy_returned, . - ff_copy_returned
ff_copy_fault:
        movl    $1, %eax
        ret
        .cfi_endproc
        .section .note.GNU-stack, "", @progbits
